using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>VGG-16 (Simonyan and Zisserman 2015, "Very Deep Convolutional Networks", table 1, column D).</summary>
internal static class Vgg16
{
    private const int Pool = 0;

    private static readonly int[] Layers = [64, 64, Pool, 128, 128, Pool, 256, 256, 256, Pool, 512, 512, 512, Pool, 512, 512, 512, Pool];

    public static ZooGraph Build(string name)
    {
        var graph = new OnnxGraphBuilder(name);
        Value x = graph.ImageInput(224);
        int module = 0;
        foreach (int channels in Layers)
        {
            x = channels == Pool
                ? graph.MaxPool(x, $"features.{module++}", kernel: 2, stride: 2)
                : graph.Relu(graph.Conv(x, $"features.{module++}", channels, kernel: 3, padding: 1, bias: true), $"features.{module++}");
        }
        x = graph.Flatten(x, "", pixels: 7 * 7);
        x = graph.Relu(graph.Linear(x, "classifier.0", 4096, rectified: true), "classifier.1");
        x = graph.Relu(graph.Linear(x, "classifier.3", 4096, rectified: true), "classifier.4");
        graph.Output(graph.Linear(x, "classifier.6", 1000), "logits", "batch, 1000");
        return graph.Build();
    }
}
