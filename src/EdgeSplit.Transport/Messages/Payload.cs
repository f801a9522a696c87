using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>The arguments of a request or of an answer: what travels beside the tensors.</summary>
internal abstract record Payload(Operation Operation)
{
    /// <summary>How the tensors that go along shall travel.</summary>
    public virtual ActivationEncoding Encoding => ActivationEncoding.None;

    /// <summary>Writes the arguments as one MessagePack array.</summary>
    public abstract void Write(ref MessagePackWriter writer);

    public static Payload ReadRequest(Operation operation, ref MessagePackReader reader) => operation switch
    {
        Operation.Describe or Operation.Report or Operation.Probe => EmptyPayload.Read(operation, ref reader),
        Operation.Load => LoadCall.Read(ref reader),
        Operation.Execute => ExecuteCall.Read(ref reader),
        Operation.Unload => UnloadCall.Read(ref reader),
        Operation.ReadBlob => ReadBlobCall.Read(ref reader),
        Operation.Deliver => DeliverCall.Read(ref reader),
        Operation.ProbePeer => ProbePeerCall.Read(ref reader),
        _ => throw new MessagePackSerializationException($"operation {(int)operation} is not known"),
    };

    public static Payload ReadResponse(Operation operation, ref MessagePackReader reader) => operation switch
    {
        Operation.Unload or Operation.Probe or Operation.Deliver => EmptyPayload.Read(operation, ref reader),
        Operation.Describe => DescribeReply.Read(ref reader),
        Operation.Report => ReportReply.Read(ref reader),
        Operation.Load => LoadReply.Read(ref reader),
        Operation.Execute => ExecuteReply.Read(ref reader),
        Operation.ReadBlob => ReadBlobReply.Read(ref reader),
        Operation.ProbePeer => ProbePeerReply.Read(ref reader),
        _ => throw new MessagePackSerializationException($"operation {(int)operation} is not known"),
    };
}
