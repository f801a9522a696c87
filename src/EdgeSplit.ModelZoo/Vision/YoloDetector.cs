using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Vision;

/// <summary>
/// A one-stage detector with the published sizes of YOLOv5 release 6: a cross-stage-partial backbone (Wang et al. 2020,
/// "CSPNet"), a path-aggregation neck (Liu et al. 2018, "PANet"), and three heads that give, for each of three anchors
/// in each cell, a box, an objectness and 80 class scores, all raw.
/// </summary>
internal static class YoloDetector
{
    private const int Pixels = 640;
    private const int Anchors = 3;
    private const int ValuesPerAnchor = 4 + 1 + 80;

    /// <summary>SiLU lets less through than the rectifier that the weights are spread for; this makes up for it.</summary>
    private const float SiluScale = 1.1f;

    /// <summary>Builds the detector; <paramref name="widthDivisor"/> is 2 for the size "s" and 4 for "n".</summary>
    public static ZooGraph Build(string name, int widthDivisor)
    {
        var graph = new OnnxGraphBuilder(name);
        Value x = Conv(graph.ImageInput(Pixels), "model.0", 64 / widthDivisor, kernel: 6, stride: 2, padding: 2);
        x = CrossStage(Halve(x, 1, 128), 2, 128, bottlenecks: 1, shortcut: true);
        Value stride8 = CrossStage(Halve(x, 3, 256), 4, 256, bottlenecks: 2, shortcut: true);
        Value stride16 = CrossStage(Halve(stride8, 5, 512), 6, 512, bottlenecks: 3, shortcut: true);
        x = CrossStage(Halve(stride16, 7, 1024), 8, 1024, bottlenecks: 1, shortcut: true);
        x = PyramidPool(x, "model.9");

        Value top = Conv(x, "model.10", 512 / widthDivisor, kernel: 1);
        x = graph.Concat([graph.Upsample(top, "model.11", factor: 2), stride16], "model.12");
        Value middle = Conv(CrossStage(x, 13, 512, bottlenecks: 1, shortcut: false), "model.14", 256 / widthDivisor, kernel: 1);
        x = graph.Concat([graph.Upsample(middle, "model.15", factor: 2), stride8], "model.16");
        Value small = CrossStage(x, 17, 256, bottlenecks: 1, shortcut: false);
        Value medium = CrossStage(graph.Concat([Halve(small, 18, 256), middle], "model.19"), 20, 512, bottlenecks: 1, shortcut: false);
        Value large = CrossStage(graph.Concat([Halve(medium, 21, 512), top], "model.22"), 23, 1024, bottlenecks: 1, shortcut: false);

        Head(small, 0, stride: 8);
        Head(medium, 1, stride: 16);
        Head(large, 2, stride: 32);
        return graph.Build();

        Value Conv(Value input, string module, int channels, int kernel, int stride = 1, int? padding = null)
        {
            Value y = graph.Conv(input, $"{module}.conv", channels, kernel, stride, padding ?? kernel / 2);
            return graph.Silu(graph.BatchNorm(y, $"{module}.bn", SiluScale, epsilon: 1e-3f), $"{module}.act");
        }

        Value Halve(Value input, int number, int channels) => Conv(input, $"model.{number}", channels / widthDivisor, kernel: 3, stride: 2);

        Value CrossStage(Value input, int number, int channels, int bottlenecks, bool shortcut)
        {
            string module = $"model.{number}";
            int half = channels / widthDivisor / 2;
            Value inner = Conv(input, $"{module}.cv1", half, kernel: 1);
            for (int i = 0; i < bottlenecks; i++)
            {
                Value y = Conv(Conv(inner, $"{module}.m.{i}.cv1", half, kernel: 1), $"{module}.m.{i}.cv2", half, kernel: 3);
                inner = shortcut ? graph.Add(inner, y, $"{module}.m.{i}") : y;
            }
            return Conv(graph.Concat([inner, Conv(input, $"{module}.cv2", half, kernel: 1)], module), $"{module}.cv3", 2 * half, kernel: 1);
        }

        Value PyramidPool(Value input, string module)
        {
            Value first = Conv(input, $"{module}.cv1", input.Width / 2, kernel: 1);
            Value second = Pool(first), third = Pool(second);
            return Conv(graph.Concat([first, second, third, Pool(third)], module), $"{module}.cv2", input.Width, kernel: 1);

            Value Pool(Value of) => graph.MaxPool(of, $"{module}.m", kernel: 5, stride: 1, padding: 2);
        }

        void Head(Value input, int number, int stride)
        {
            const string Module = "model.24";
            int cells = Pixels / stride;
            Value raw = graph.Conv(input, $"{Module}.m.{number}", Anchors * ValuesPerAnchor, kernel: 1, bias: true);
            Value byAnchor = graph.Reshape(raw, Module, graph.Constant(Module, -1, Anchors, ValuesPerAnchor, cells, cells), ValuesPerAnchor);
            graph.Output(graph.Transpose(byAnchor, Module, ValuesPerAnchor, 0, 1, 3, 4, 2), $"stride{stride}", $"batch, {Anchors}, {cells}, {cells}, {ValuesPerAnchor}");
        }
    }
}
