using System.Buffers;

namespace EdgeSplit.Transport.Framing;

/// <summary>A frame's prefix and its header, which is valid until it is consumed.</summary>
internal readonly record struct FrameHead(FramePrefix Prefix, ReadOnlySequence<byte> Header);
