using System.Collections.Immutable;
using System.Text.Json;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>The fake model format: JSON.</summary>
internal sealed record FakeSkeleton(ImmutableArray<FakeNode> Nodes, ImmutableArray<string> Outputs)
{
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this);

    public static FakeSkeleton Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            FakeSkeleton? skeleton = JsonSerializer.Deserialize<FakeSkeleton>(bytes);
            if (skeleton is null || skeleton.Nodes.IsDefault || skeleton.Outputs.IsDefault)
                throw new JsonException("Nodes or outputs are missing.");
            return skeleton;
        }
        catch (JsonException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, "The skeleton is not one of a fake model.", exception);
        }
    }
}

/// <summary>A whole fake model as a file.</summary>
internal sealed record FakeModelFile(
    string Name, ImmutableArray<FakeValue> Inputs, ImmutableArray<FakeNode> Nodes, ImmutableArray<string> Outputs, ImmutableArray<float[]> Weights);

/// <summary>An input of a fake model; -1 is a dynamic dimension.</summary>
internal sealed record FakeValue(string Name, TensorElementType ElementType, ImmutableArray<long> Dimensions);
