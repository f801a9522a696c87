namespace EdgeSplit.Transport.Connections;

/// <summary>What a side of a connection is there for, whichever of them made it. The numbers travel on the wire and never change.</summary>
internal enum PeerRole : byte
{
    /// <summary>Asks an agent.</summary>
    Coordinator = 1,

    /// <summary>Is asked.</summary>
    Agent = 2,
}
