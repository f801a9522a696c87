using EdgeSplit.ModelZoo.Weights;

namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>The layers of transformers.</summary>
internal sealed partial class OnnxGraphBuilder
{
    /// <summary>A fully connected layer on the last axis, as the product and the sum that exporters make of it.</summary>
    public Value Dense(Value x, string module, int features)
    {
        Value weight = Weight($"{module}.weight", UniformRange.Xavier(x.Width, features), x.Width, features);
        Value bias = Weight($"{module}.bias", UniformRange.Symmetric(0.02), features);
        return Add(bias, MatMul(x, weight, module, features), module);
    }

    public Value MatMul(Value a, Value b, string module, int width) => Node("MatMul", module, width, [a, b]);

    /// <summary>The rows of <paramref name="table"/> that <paramref name="ids"/> name.</summary>
    public Value Lookup(Value table, Value ids, string module, int width) => Node("Gather", module, width, [table, ids], Attributes.Int("axis", 0));

    /// <summary>A table of vectors, one for each id.</summary>
    public Value EmbeddingTable(string module, int count, int width) => Weight($"{module}.weight", UniformRange.Symmetric(0.1), count, width);

    /// <summary>Layer normalisation as the one operator of operator set 17.</summary>
    public Value LayerNorm(Value x, string module, float epsilon) =>
        Node("LayerNormalization", module, x.Width, [x, NormWeight(x, module), NormBias(x, module)], Attributes.Int("axis", -1), Attributes.Float("epsilon", epsilon));

    /// <summary>Layer normalisation as the nine operators of older exports.</summary>
    public Value DecomposedLayerNorm(Value x, string module, float epsilon)
    {
        Value centred = Node("Sub", module, x.Width, [x, Mean(x)]);
        Value variance = Mean(Node("Pow", module, x.Width, [centred, Scalar(module, 2f)]));
        Value deviation = Node("Sqrt", module, 1, [Add(variance, Scalar(module, epsilon), module)]);
        Value normal = Node("Div", module, x.Width, [centred, deviation]);
        return Add(Node("Mul", module, x.Width, [normal, NormWeight(x, module)]), NormBias(x, module), module);

        Value Mean(Value of) => Node("ReduceMean", module, 1, [of], Attributes.Ints("axes", -1), Attributes.Int("keepdims", 1));
    }

    /// <summary>The exact Gaussian error linear unit (Hendrycks and Gimpel 2016): <c>x/2 (1 + erf(x/√2))</c>.</summary>
    public Value Gelu(Value x, string module)
    {
        Value erf = Node("Erf", module, x.Width, [Node("Div", module, x.Width, [x, Scalar(module, MathF.Sqrt(2))])]);
        Value gated = Node("Mul", module, x.Width, [x, Add(erf, Scalar(module, 1f), module)]);
        return Node("Mul", module, x.Width, [gated, Scalar(module, 0.5f)]);
    }

    /// <summary>The unit's approximation that GPT-2 uses: <c>x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))</c>.</summary>
    public Value TanhGelu(Value x, string module)
    {
        Value cube = Scaled(Node("Pow", module, x.Width, [x, Scalar(module, 3f)]), 0.044715f);
        Value tanh = Node("Tanh", module, x.Width, [Scaled(Add(x, cube, module), MathF.Sqrt(2 / MathF.PI))]);
        return Node("Mul", module, x.Width, [Scaled(x, 0.5f), Add(tanh, Scalar(module, 1f), module)]);

        Value Scaled(Value value, float factor) => Node("Mul", module, x.Width, [value, Scalar(module, factor)]);
    }

    /// <summary>[batch, sequence, width] as [batch, heads, sequence, width / heads], the sizes taken from the value itself.</summary>
    public Value SplitHeads(Value x, string module, int heads)
    {
        int headWidth = x.Width / heads;
        Value shape = Shape(module, Size(x, 0, module), Size(x, 1, module), heads, headWidth);
        return Transpose(Reshape(x, module, shape, headWidth), module, headWidth, 0, 2, 1, 3);
    }

    /// <summary>Undoes <see cref="SplitHeads"/>.</summary>
    public Value JoinHeads(Value x, string module, int heads)
    {
        Value transposed = Transpose(x, module, x.Width, 0, 2, 1, 3);
        int width = x.Width * heads;
        return Reshape(transposed, module, Shape(module, Size(transposed, 0, module), Size(transposed, 1, module), width), width);
    }

    /// <summary>
    /// Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1) over [batch, heads, sequence, head width];
    /// <paramref name="mask"/> makes the masked scores of the raw ones.
    /// </summary>
    public Value Attention(Value query, Value key, Value value, string module, Func<Value, Value> mask)
    {
        Value scores = MatMul(query, Transpose(key, module, 0, 0, 1, 3, 2), module, 0);
        Value scaled = Node("Div", module, 0, [scores, Scalar(module, MathF.Sqrt(query.Width))]);
        Value weights = Node("Softmax", module, 0, [mask(scaled)], Attributes.Int("axis", -1));
        return MatMul(weights, value, module, value.Width);
    }

    /// <summary>0 where the mask [batch, keys] is 1, and a number that silences a score where it is 0, as [batch, 1, 1, keys].</summary>
    public Value AdditiveMask(Value mask, string module)
    {
        Value wide = Cast(Unsqueeze(Unsqueeze(mask, module, 1), module, 2), module, Tensors.TensorElementType.Float);
        Value inverted = Node("Sub", module, 0, [Scalar(module, 1f), wide]);
        return Node("Mul", module, 0, [inverted, Scalar(module, -10000f)]);
    }

    private Value NormWeight(Value x, string module) => Weight($"{module}.weight", UniformRange.Around(1, 0.1f), x.Width);

    private Value NormBias(Value x, string module) => Weight($"{module}.bias", UniformRange.Symmetric(0.1), x.Width);
}
