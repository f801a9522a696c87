using System.Runtime.InteropServices;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>What the operators of fake models compute.</summary>
internal static class FakeMath
{
    public delegate Tensor Allocator(TensorElementType type, TensorShape shape, out Memory<byte> destination);

    public static Tensor Allocate(TensorElementType type, TensorShape shape, out Memory<byte> destination) => Tensor.Allocate(type, shape, out destination);

    public static void Run(FakeNode node, Dictionary<string, Tensor> values, ReadOnlySpan<float> weight, Allocator allocate)
    {
        Tensor first = values[node.Inputs[0]];
        if (node.Operation == FakeNode.Copy)
        {
            values[node.Outputs[0]] = Copy(first, allocate);
            return;
        }
        for (int k = 0; k < node.Outputs.Length; k++)
        {
            Tensor output = allocate(TensorElementType.Float, first.Shape, out Memory<byte> bytes);
            Span<float> elements = MemoryMarshal.Cast<byte, float>(bytes.Span);
            for (int i = 0; i < elements.Length; i++)
            {
                float sum = k * 0.25f + (weight.IsEmpty ? 0 : weight[i % weight.Length]);
                for (int j = 0; j < node.Inputs.Length; j++)
                {
                    ReadOnlySpan<float> input = values[node.Inputs[j]].AsSpan<float>();
                    sum += (j + 1) * input[i % input.Length];
                }
                elements[i] = MathF.Tanh(sum);
            }
            values[node.Outputs[k]] = output;
        }
    }

    private static Tensor Copy(Tensor tensor, Allocator allocate)
    {
        if (tensor.ElementType == TensorElementType.String)
            return tensor.Clone();
        Tensor copy = allocate(tensor.ElementType, tensor.Shape, out Memory<byte> bytes);
        tensor.Bytes.CopyTo(bytes);
        return copy;
    }
}
