namespace EdgeSplit.Transport.Messages;

/// <summary>What a request asks for. The numbers travel on the wire and never change.</summary>
internal enum Operation : byte
{
    /// <summary>What the agent is.</summary>
    Describe = 1,

    /// <summary>How the agent's resources are used.</summary>
    Report = 2,

    /// <summary>Make a partition ready.</summary>
    Load = 3,

    /// <summary>Run a partition.</summary>
    Execute = 4,

    /// <summary>Take back one load.</summary>
    Unload = 5,

    /// <summary>Take bytes and answer.</summary>
    Probe = 6,

    /// <summary>Asked by the agent's side while it loads: the next piece of a blob.</summary>
    ReadBlob = 7,

    /// <summary>Take inputs of a run from another agent.</summary>
    Deliver = 8,

    /// <summary>Probe another agent.</summary>
    ProbePeer = 9,
}
