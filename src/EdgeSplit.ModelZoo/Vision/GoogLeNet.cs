using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>
/// GoogLeNet (Szegedy et al. 2015, "Going Deeper with Convolutions", table 1) as torchvision builds it: with batch
/// normalisation, a 3×3 convolution where the paper has 5×5, and without the auxiliary classifiers of training.
/// </summary>
internal static class GoogLeNet
{
    private static readonly (string Module, int[] Channels)[] Inceptions =
    [
        ("inception3a", [64, 96, 128, 16, 32, 32]),
        ("inception3b", [128, 128, 192, 32, 96, 64]),
        ("inception4a", [192, 96, 208, 16, 48, 64]),
        ("inception4b", [160, 112, 224, 24, 64, 64]),
        ("inception4c", [128, 128, 256, 24, 64, 64]),
        ("inception4d", [112, 144, 288, 32, 64, 64]),
        ("inception4e", [256, 160, 320, 32, 128, 128]),
        ("inception5a", [256, 160, 320, 32, 128, 128]),
        ("inception5b", [384, 192, 384, 48, 128, 128]),
    ];

    public static ZooGraph Build(string name)
    {
        var graph = new OnnxGraphBuilder(name);
        Value x = Activated(graph, graph.ImageInput(224), "conv1", 64, kernel: 7, stride: 2);
        x = graph.MaxPool(x, "maxpool1", kernel: 3, stride: 2, ceiling: true);
        x = Activated(graph, Activated(graph, x, "conv2", 64, kernel: 1), "conv3", 192, kernel: 3);
        x = graph.MaxPool(x, "maxpool2", kernel: 3, stride: 2, ceiling: true);
        foreach ((string module, int[] channels) in Inceptions)
        {
            if (module == "inception4a")
                x = graph.MaxPool(x, "maxpool3", kernel: 3, stride: 2, ceiling: true);
            if (module == "inception5a")
                x = graph.MaxPool(x, "maxpool4", kernel: 2, stride: 2, ceiling: true);
            x = Inception(graph, x, module, channels);
        }
        x = graph.Flatten(graph.GlobalAveragePool(x, "avgpool"), "");
        graph.Output(graph.Linear(x, "fc", 1000), "logits", "batch, 1000");
        return graph.Build();
    }

    private static Value Inception(OnnxGraphBuilder graph, Value x, string module, int[] channels)
    {
        Value direct = Activated(graph, x, $"{module}.branch1", channels[0], kernel: 1);
        Value middle = Activated(graph, Activated(graph, x, $"{module}.branch2.0", channels[1], kernel: 1), $"{module}.branch2.1", channels[2], kernel: 3);
        Value small = Activated(graph, Activated(graph, x, $"{module}.branch3.0", channels[3], kernel: 1), $"{module}.branch3.1", channels[4], kernel: 3);
        Value pooled = graph.MaxPool(x, $"{module}.branch4.0", kernel: 3, stride: 1, padding: 1, ceiling: true);
        return graph.Concat([direct, middle, small, Activated(graph, pooled, $"{module}.branch4.1", channels[5], kernel: 1)], module);
    }

    private static Value Activated(OnnxGraphBuilder graph, Value x, string module, int channels, int kernel, int stride = 1)
    {
        x = graph.Conv(x, $"{module}.conv", channels, kernel, stride, padding: kernel / 2);
        return graph.Relu(graph.BatchNorm(x, $"{module}.bn", epsilon: 1e-3f), module);
    }
}
