using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>
/// ResNet (He et al. 2016, "Deep Residual Learning for Image Recognition", table 1). The bottlenecks are those of
/// "version 1.5", as in torchvision: the stride is in the 3×3 convolution, not in the first 1×1.
/// </summary>
internal static class ResNet
{
    /// <summary>Keeps the sum over many blocks from growing: the branch of each block is smaller than its shortcut.</summary>
    private const float BranchScale = 0.4f;

    public static ZooGraph Build(string name, int[] blocks, bool bottleneck)
    {
        var graph = new OnnxGraphBuilder(name);
        Value x = graph.ImageInput(224);
        x = graph.Relu(graph.BatchNorm(graph.Conv(x, "conv1", 64, kernel: 7, stride: 2, padding: 3), "bn1"), "relu");
        x = graph.MaxPool(x, "maxpool", kernel: 3, stride: 2, padding: 1);
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            for (int block = 0; block < blocks[stage]; block++)
                x = Block(graph, x, $"layer{stage + 1}.{block}", 64 << stage, bottleneck, stride: stage > 0 && block == 0 ? 2 : 1);
        }
        x = graph.Flatten(graph.GlobalAveragePool(x, "avgpool"), "");
        graph.Output(graph.Linear(x, "fc", 1000), "logits", "batch, 1000");
        return graph.Build();
    }

    private static Value Block(OnnxGraphBuilder graph, Value x, string module, int width, bool bottleneck, int stride)
    {
        int channels = bottleneck ? 4 * width : width;
        Value branch;
        if (bottleneck)
        {
            branch = graph.Relu(Normalised(x, "1", width, kernel: 1, stride: 1), $"{module}.relu");
            branch = graph.Relu(Normalised(branch, "2", width, kernel: 3, stride), $"{module}.relu");
            branch = Normalised(branch, "3", channels, kernel: 1, stride: 1, BranchScale);
        }
        else
        {
            branch = graph.Relu(Normalised(x, "1", width, kernel: 3, stride), $"{module}.relu");
            branch = Normalised(branch, "2", channels, kernel: 3, stride: 1, BranchScale);
        }
        Value shortcut = stride == 1 && x.Width == channels
            ? x
            : graph.BatchNorm(graph.Conv(x, $"{module}.downsample.0", channels, kernel: 1, stride), $"{module}.downsample.1");
        return graph.Relu(graph.Add(branch, shortcut, module), $"{module}.relu");

        Value Normalised(Value input, string number, int outputs, int kernel, int stride, float scale = 1) =>
            graph.BatchNorm(graph.Conv(input, $"{module}.conv{number}", outputs, kernel, stride, padding: kernel / 2), $"{module}.bn{number}", scale);
    }
}
