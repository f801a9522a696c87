using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Connections;

/// <summary>What both sides know after the handshake.</summary>
/// <param name="PeerLimits">What the peer takes.</param>
/// <param name="AgentId">The agent behind the accepting side.</param>
/// <param name="IsConnector">Whether this side made the connection; its requests have odd stream numbers.</param>
internal readonly record struct HandshakeResult(WireLimits PeerLimits, string AgentId, bool IsConnector);
