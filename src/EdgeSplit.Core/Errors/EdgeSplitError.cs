namespace EdgeSplit;

/// <summary>What kind of failure an <see cref="EdgeSplitException"/> reports. The numbers travel on the wire and never change.</summary>
public enum EdgeSplitError
{
    /// <summary>A failure that no other code describes; a defect of EdgeSplit or of an extension.</summary>
    Internal = 0,

    /// <summary>An argument or option is outside of what the call accepts.</summary>
    InvalidArgument = 1,

    /// <summary>A file, model, partition, deployment or agent with that name does not exist.</summary>
    NotFound = 2,

    /// <summary>The model is damaged, not of the stated format, or refers to data outside its folder.</summary>
    InvalidModel = 3,

    /// <summary>The model is well formed but uses something that the runtime or the splitter does not support.</summary>
    UnsupportedModel = 4,

    /// <summary>An input is missing, unknown, or of the wrong element type or shape.</summary>
    InvalidInput = 5,

    /// <summary>A cut or an assignment of layers to devices is not legal for this model.</summary>
    IllegalCut = 6,

    /// <summary>No placement satisfies the constraints.</summary>
    NoFeasiblePlan = 7,

    /// <summary>The agent cannot be reached, or the connection to it was lost.</summary>
    AgentUnavailable = 8,

    /// <summary>The agent or coordinator has no capacity left for the request now.</summary>
    Overloaded = 9,

    /// <summary>The request's deadline passed.</summary>
    DeadlineExceeded = 10,

    /// <summary>The runtime failed while executing a partition.</summary>
    ExecutionFailed = 11,

    /// <summary>Bytes from a peer do not follow the protocol.</summary>
    ProtocolViolation = 12,

    /// <summary>Received content does not match its hash.</summary>
    IntegrityFailure = 13,

    /// <summary>The peer could not prove who it is, or may not do what it asked for.</summary>
    AccessDenied = 14,

    /// <summary>Disk or memory is exhausted.</summary>
    ResourceExhausted = 15,

    /// <summary>An agent cannot send tensors to another one directly.</summary>
    PeerUnavailable = 16,
}
