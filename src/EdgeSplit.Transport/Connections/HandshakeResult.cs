using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Connections;

/// <summary>What a side knows after the handshake.</summary>
/// <param name="PeerLimits">What the peer takes.</param>
/// <param name="PeerId">The peer's id: an agent's, or none.</param>
/// <param name="IsConnector">Whether this side made the connection; its requests have odd stream numbers.</param>
/// <param name="Features">The features of the preamble that both sides name.</param>
internal readonly record struct HandshakeResult(WireLimits PeerLimits, string PeerId, bool IsConnector, uint Features);
