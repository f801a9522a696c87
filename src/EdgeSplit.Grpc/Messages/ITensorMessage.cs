using EdgeSplit.Grpc.Messages;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace EdgeSplit.Grpc.Messages
{
    /// <summary>A message that carries tensors, sent in parts.</summary>
    internal interface ITensorMessage
    {
        RepeatedField<V1.TensorHeader> Tensors { get; }

        ByteString Data { get; set; }
    }
}

namespace EdgeSplit.Grpc.V1
{
    internal partial class InferenceRequest : ITensorMessage
    {
        RepeatedField<TensorHeader> ITensorMessage.Tensors => Inputs;
    }

    internal partial class PartialResult : ITensorMessage
    {
        RepeatedField<TensorHeader> ITensorMessage.Tensors => Outputs;
    }

    internal partial class FinalResult : ITensorMessage
    {
        RepeatedField<TensorHeader> ITensorMessage.Tensors => Outputs;
    }
}
