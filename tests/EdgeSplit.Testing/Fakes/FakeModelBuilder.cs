using System.Collections.Immutable;
using System.Runtime.InteropServices;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>Builds a <see cref="FakeModel"/>, its operators in the order in which they run.</summary>
public sealed class FakeModelBuilder(string name)
{
    private readonly ImmutableArray<FakeValue>.Builder _inputs = ImmutableArray.CreateBuilder<FakeValue>();
    private readonly ImmutableArray<FakeNode>.Builder _nodes = ImmutableArray.CreateBuilder<FakeNode>();
    private readonly ImmutableArray<string>.Builder _outputs = ImmutableArray.CreateBuilder<string>();
    private readonly ImmutableArray<float[]>.Builder _weights = ImmutableArray.CreateBuilder<float[]>();

    /// <summary>Adds a float input; a dimension of -1 is only known at run time.</summary>
    public FakeModelBuilder Input(string name, params ReadOnlySpan<long> dimensions) => Input(name, TensorElementType.Float, dimensions);

    /// <summary>Adds an input of any type.</summary>
    public FakeModelBuilder Input(string name, TensorElementType type, params ReadOnlySpan<long> dimensions)
    {
        _inputs.Add(new FakeValue(name, type, [.. dimensions]));
        return this;
    }

    /// <summary>Adds an operator that mixes its float inputs, all of which the output depends on, in their order, with a weight of its own.</summary>
    public FakeModelBuilder Mix(string layer, ImmutableArray<string> inputs, params ImmutableArray<string> outputs) => Mix(layer, inputs, outputs, 4);

    /// <summary>Adds an operator with a weight of some floats, which depend on the layer's name; 0 for no weight.</summary>
    public FakeModelBuilder Mix(string layer, ImmutableArray<string> inputs, ImmutableArray<string> outputs, int weightCount)
    {
        if (weightCount == 0)
        {
            _nodes.Add(new FakeNode(layer, FakeNode.Mix, inputs, outputs));
            return this;
        }
        var random = new Random(layer.Aggregate(17, static (hash, character) => hash * 31 + character));
        float[] weight = [.. Enumerable.Range(0, weightCount).Select(_ => random.NextSingle() - 0.5f)];
        _weights.Add(weight);
        ContentHash hash = ContentHash.Of(MemoryMarshal.AsBytes<float>(weight));
        _nodes.Add(new FakeNode(layer, FakeNode.Mix, inputs, outputs, hash.ToString(), weightCount * sizeof(float)));
        return this;
    }

    /// <summary>Adds an operator that copies a tensor of any type.</summary>
    public FakeModelBuilder Copy(string layer, string input, string output)
    {
        _nodes.Add(new FakeNode(layer, FakeNode.Copy, [input], [output]));
        return this;
    }

    /// <summary>Makes values outputs of the model.</summary>
    public FakeModelBuilder Output(params ReadOnlySpan<string> names)
    {
        _outputs.AddRange(names);
        return this;
    }

    /// <summary>The model.</summary>
    public FakeModel Build() =>
        new(new FakeModelFile(name, _inputs.ToImmutable(), _nodes.ToImmutable(), _outputs.ToImmutable(), _weights.ToImmutable()));

    /// <summary>A chain of layers <c>layer0</c>, <c>layer1</c>, … from input <c>x</c> to output <c>y</c>, both of <paramref name="width"/> floats.</summary>
    public static FakeModel Chain(string name, int layers, int width = 8)
    {
        FakeModelBuilder builder = new FakeModelBuilder(name).Input("x", width);
        for (int i = 0; i < layers; i++)
            builder.Mix($"layer{i}", [i == 0 ? "x" : $"v{i - 1}"], i == layers - 1 ? "y" : $"v{i}");
        return builder.Output("y").Build();
    }
}
