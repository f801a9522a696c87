using EdgeSplit.ModelZoo.Weights;

namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>The layers of convolutional networks.</summary>
internal sealed partial class OnnxGraphBuilder
{
    /// <summary>A square convolution.</summary>
    public Value Conv(Value x, string module, int channels, int kernel, int stride = 1, int padding = 0, int groups = 1, bool bias = false)
    {
        long fanIn = (long)x.Width / groups * kernel * kernel;
        Value weight = Weight($"{module}.weight", UniformRange.He(fanIn), channels, x.Width / groups, kernel, kernel);
        ReadOnlySpan<Value> inputs = bias ? [x, weight, Weight($"{module}.bias", UniformRange.Bias(fanIn), channels)] : [x, weight];
        return Node("Conv", module, channels, inputs,
            Attributes.Ints("dilations", 1, 1), Attributes.Int("group", groups), Attributes.Ints("kernel_shape", kernel, kernel),
            Attributes.Ints("pads", padding, padding, padding, padding), Attributes.Ints("strides", stride, stride));
    }

    /// <summary>A transposed convolution whose kernel is its stride: each pixel becomes <paramref name="factor"/> squared pixels.</summary>
    public Value UpConv(Value x, string module, int channels, int factor)
    {
        Value weight = Weight($"{module}.weight", UniformRange.He(x.Width), x.Width, channels, factor, factor);
        Value bias = Weight($"{module}.bias", UniformRange.Bias(x.Width), channels);
        return Node("ConvTranspose", module, channels, [x, weight, bias],
            Attributes.Ints("dilations", 1, 1), Attributes.Int("group", 1), Attributes.Ints("kernel_shape", factor, factor),
            Attributes.Ints("pads", 0, 0, 0, 0), Attributes.Ints("strides", factor, factor));
    }

    /// <summary>Batch normalisation as trained networks have it: statistics near those of the activations, a scale near <paramref name="scale"/>.</summary>
    public Value BatchNorm(Value x, string module, float scale = 1, float epsilon = 1e-5f) =>
        Node("BatchNormalization", module, x.Width,
            [
                x,
                Weight($"{module}.weight", UniformRange.Around(scale, 0.2f * scale), x.Width),
                Weight($"{module}.bias", UniformRange.Symmetric(0.1), x.Width),
                AddWeight($"{module}.running_mean", UniformRange.Symmetric(0.1), false, x.Width),
                AddWeight($"{module}.running_var", UniformRange.Around(1, 0.2f), false, x.Width),
            ],
            Attributes.Float("epsilon", epsilon), Attributes.Float("momentum", 0.9f));

    public Value MaxPool(Value x, string module, int kernel, int stride, int padding = 0, bool ceiling = false) =>
        Node("MaxPool", module, x.Width, [x],
            Attributes.Int("ceil_mode", ceiling ? 1 : 0), Attributes.Ints("kernel_shape", kernel, kernel),
            Attributes.Ints("pads", padding, padding, padding, padding), Attributes.Ints("strides", stride, stride));

    public Value AveragePool(Value x, string module, int kernel, int stride) =>
        Node("AveragePool", module, x.Width, [x], Attributes.Ints("kernel_shape", kernel, kernel), Attributes.Ints("strides", stride, stride));

    public Value GlobalAveragePool(Value x, string module) => Node("GlobalAveragePool", module, x.Width, [x]);

    /// <summary>All axes after the first as one; <paramref name="pixels"/> is how many values each channel has.</summary>
    public Value Flatten(Value x, string module, int pixels = 1) => Node("Flatten", module, x.Width * pixels, [x], Attributes.Int("axis", 1));

    public Value Upsample(Value x, string module, int factor) =>
        Node("Resize", module, x.Width, [x, Value.None, Scales(module, factor)],
            Attributes.Text("coordinate_transformation_mode", "asymmetric"), Attributes.Text("mode", "nearest"), Attributes.Text("nearest_mode", "floor"));

    /// <summary>A fully connected layer on a matrix.</summary>
    public Value Linear(Value x, string module, int features, bool rectified = false)
    {
        UniformRange range = rectified ? UniformRange.He(x.Width) : UniformRange.Xavier(x.Width, features);
        Value weight = Weight($"{module}.weight", range, features, x.Width);
        Value bias = Weight($"{module}.bias", UniformRange.Bias(x.Width), features);
        return Node("Gemm", module, features, [x, weight, bias],
            Attributes.Float("alpha", 1), Attributes.Float("beta", 1), Attributes.Int("transB", 1));
    }

    public Value Relu(Value x, string module) => Node("Relu", module, x.Width, [x]);

    /// <summary>A rectifier that ends at 6, with its limits as constants.</summary>
    public Value Relu6(Value x, string module) => Node("Clip", module, x.Width, [x, Scalar(module, 0f), Scalar(module, 6f)]);

    /// <summary>The value times its sigmoid (SiLU).</summary>
    public Value Silu(Value x, string module) => Node("Mul", module, x.Width, [x, Node("Sigmoid", module, x.Width, [x])]);

    public Value Add(Value a, Value b, string module) => Node("Add", module, Math.Max(a.Width, b.Width), [a, b]);

    public Value Concat(ReadOnlySpan<Value> parts, string module, int axis = 1)
    {
        int width = 0;
        foreach (Value part in parts)
            width += part.Width;
        return Node("Concat", module, width, parts, Attributes.Int("axis", axis));
    }

    private Value Scales(string module, float factor) =>
        Constant<float>(module, Tensors.TensorElementType.Float, [1, 1, factor, factor], [4]);
}
