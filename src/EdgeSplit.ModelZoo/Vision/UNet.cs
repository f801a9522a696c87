using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>
/// U-Net (Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation", figure 1) in its
/// common modern form: padded convolutions with batch normalisation, three input channels, one class
/// (github.com/milesial/Pytorch-UNet with transposed convolutions: 31,037,633 parameters).
/// </summary>
internal static class UNet
{
    private const int Pixels = 256;
    private const int Depth = 4;

    public static ZooGraph Build(string name)
    {
        var graph = new OnnxGraphBuilder(name);
        var skips = new Stack<Value>();
        Value x = DoubleConv(graph, graph.ImageInput(Pixels), "inc", 64);
        for (int i = 1; i <= Depth; i++)
        {
            skips.Push(x);
            x = graph.MaxPool(x, $"down{i}.maxpool_conv.0", kernel: 2, stride: 2);
            x = DoubleConv(graph, x, $"down{i}.maxpool_conv.1", 64 << i);
        }
        for (int i = 1; i <= Depth; i++)
        {
            Value up = graph.UpConv(x, $"up{i}.up", x.Width / 2, factor: 2);
            x = DoubleConv(graph, graph.Concat([skips.Pop(), up], $"up{i}"), $"up{i}.conv", up.Width);
        }
        graph.Output(graph.Conv(x, "outc.conv", channels: 1, kernel: 1, bias: true), "mask", $"batch, 1, {Pixels}, {Pixels}");
        return graph.Build();
    }

    private static Value DoubleConv(OnnxGraphBuilder graph, Value x, string module, int channels)
    {
        for (int i = 0; i < 6; i += 3)
        {
            x = graph.Conv(x, $"{module}.double_conv.{i}", channels, kernel: 3, padding: 1);
            x = graph.Relu(graph.BatchNorm(x, $"{module}.double_conv.{i + 1}"), $"{module}.double_conv.{i + 2}");
        }
        return x;
    }
}
