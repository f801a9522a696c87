using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Language;

/// <summary>
/// The feed-forward halves of a transformer (Vaswani et al. 2017, section 3.3) without its attention: a chain of equal
/// blocks of any size, for trying out models that are larger than memory or than a protobuf file can be.
/// </summary>
internal static class ResidualPerceptron
{
    private const int Blocks = 24;

    /// <summary>The chain with the smallest width, a multiple of 8, whose weights have at least <paramref name="weightBytes"/>.</summary>
    public static ZooGraph Build(string name, long weightBytes)
    {
        int width = checked(8 * (int)Math.Ceiling(Math.Sqrt(weightBytes / (sizeof(float) * 8.0 * Blocks)) / 8));
        var graph = new OnnxGraphBuilder(name);
        Value x = graph.Input("input", $"batch, {width}", width);
        for (int i = 0; i < Blocks; i++)
        {
            string module = $"blocks.{i}";
            Value wide = graph.Relu(graph.Dense(graph.LayerNorm(x, $"{module}.norm", 1e-5f), $"{module}.expand", 4 * width), $"{module}.act");
            x = graph.Add(x, graph.Dense(wide, $"{module}.contract", width), module);
        }
        graph.Output(graph.LayerNorm(x, "norm", 1e-5f), "output", $"batch, {width}");
        return graph.Build();
    }
}
