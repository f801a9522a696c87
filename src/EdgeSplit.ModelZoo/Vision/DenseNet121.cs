using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>DenseNet-121 (Huang et al. 2017, "Densely Connected Convolutional Networks", table 1), growth rate 32.</summary>
internal static class DenseNet121
{
    private const int Growth = 32;

    private static readonly int[] Blocks = [6, 12, 24, 16];

    public static ZooGraph Build(string name)
    {
        var graph = new OnnxGraphBuilder(name);
        Value x = graph.Conv(graph.ImageInput(224), "features.conv0", 64, kernel: 7, stride: 2, padding: 3);
        x = graph.Relu(graph.BatchNorm(x, "features.norm0"), "features.relu0");
        x = graph.MaxPool(x, "features.pool0", kernel: 3, stride: 2, padding: 1);
        for (int i = 0; i < Blocks.Length; i++)
        {
            x = DenseBlock(graph, x, $"features.denseblock{i + 1}", Blocks[i]);
            if (i < Blocks.Length - 1)
                x = Transition(graph, x, $"features.transition{i + 1}");
        }
        x = graph.Relu(graph.BatchNorm(x, "features.norm5"), "");
        x = graph.Flatten(graph.GlobalAveragePool(x, ""), "");
        graph.Output(graph.Linear(x, "classifier", 1000), "logits", "batch, 1000");
        return graph.Build();
    }

    private static Value DenseBlock(OnnxGraphBuilder graph, Value input, string module, int layers)
    {
        List<Value> features = [input];
        for (int i = 1; i <= layers; i++)
        {
            string layer = $"{module}.denselayer{i}";
            Value x = graph.Concat([.. features], layer);
            x = graph.Conv(graph.Relu(graph.BatchNorm(x, $"{layer}.norm1"), $"{layer}.relu1"), $"{layer}.conv1", 4 * Growth, kernel: 1);
            x = graph.Conv(graph.Relu(graph.BatchNorm(x, $"{layer}.norm2"), $"{layer}.relu2"), $"{layer}.conv2", Growth, kernel: 3, padding: 1);
            features.Add(x);
        }
        return graph.Concat([.. features], module);
    }

    private static Value Transition(OnnxGraphBuilder graph, Value x, string module)
    {
        x = graph.Relu(graph.BatchNorm(x, $"{module}.norm"), $"{module}.relu");
        return graph.AveragePool(graph.Conv(x, $"{module}.conv", x.Width / 2, kernel: 1), $"{module}.pool", kernel: 2, stride: 2);
    }
}
