using System.Buffers;

namespace EdgeSplit.Transport.Framing;

/// <summary>A frame up to its body, valid until it is consumed.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Header">The header.</param>
/// <param name="End">Where the body starts.</param>
internal readonly record struct FrameHead(FramePrefix Prefix, ReadOnlySequence<byte> Header, SequencePosition End);
