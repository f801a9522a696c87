using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>MobileNetV2 at width 1 (Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2).</summary>
internal static class MobileNetV2
{
    private static readonly (int Expansion, int Channels, int Repeats, int Stride)[] Stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    public static ZooGraph Build(string name)
    {
        var graph = new OnnxGraphBuilder(name);
        Value x = Activated(graph, graph.ImageInput(224), "features.0", 32, kernel: 3, stride: 2);
        int module = 1;
        foreach ((int expansion, int channels, int repeats, int stride) in Stages)
        {
            for (int i = 0; i < repeats; i++)
                x = InvertedResidual(graph, x, $"features.{module++}", expansion, channels, i == 0 ? stride : 1);
        }
        x = Activated(graph, x, $"features.{module}", 1280, kernel: 1);
        x = graph.Flatten(graph.GlobalAveragePool(x, ""), "");
        graph.Output(graph.Linear(x, "classifier.1", 1000), "logits", "batch, 1000");
        return graph.Build();
    }

    private static Value InvertedResidual(OnnxGraphBuilder graph, Value input, string module, int expansion, int channels, int stride)
    {
        int step = 0;
        Value x = input;
        if (expansion > 1)
            x = Activated(graph, x, $"{module}.conv.{step++}", expansion * x.Width, kernel: 1);
        x = Activated(graph, x, $"{module}.conv.{step++}", x.Width, kernel: 3, stride, groups: x.Width);
        x = graph.Conv(x, $"{module}.conv.{step++}", channels, kernel: 1);
        x = graph.BatchNorm(x, $"{module}.conv.{step}");
        return stride == 1 && input.Width == channels ? graph.Add(input, x, module) : x;
    }

    private static Value Activated(OnnxGraphBuilder graph, Value x, string module, int channels, int kernel, int stride = 1, int groups = 1)
    {
        x = graph.Conv(x, $"{module}.0", channels, kernel, stride, padding: kernel / 2, groups);
        return graph.Relu6(graph.BatchNorm(x, $"{module}.1"), $"{module}.2");
    }
}
