using EdgeSplit.Tensors;

namespace EdgeSplit.Transport.Messages;

/// <summary>Plain bytes travel as a tensor of one dimension, so that there is one kind of body.</summary>
internal static class BytesTensor
{
    public static Tensor Wrap(ReadOnlyMemory<byte> bytes) => Tensor.Wrap(TensorElementType.UInt8, new TensorShape(bytes.Length), bytes);
}
