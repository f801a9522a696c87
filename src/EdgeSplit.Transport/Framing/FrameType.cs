namespace EdgeSplit.Transport.Framing;

/// <summary>What a frame is. The numbers travel on the wire and never change.</summary>
internal enum FrameType : byte
{
    /// <summary>First frame of both sides: a nonce, the role, the limits, whether a join token is asked for.</summary>
    Hello = 1,

    /// <summary>The connecting side's proof that it knows the join token, empty if it has none, and its id if it is an agent.</summary>
    Proof = 2,

    /// <summary>The accepting side's last word of the handshake: the same of itself.</summary>
    Welcome = 3,

    /// <summary>Asks for a sign of life.</summary>
    Ping = 4,

    /// <summary>The answer to a ping, with the ping's value.</summary>
    Pong = 5,

    /// <summary>Gives the peer bytes of bodies that it may send.</summary>
    Credit = 6,

    /// <summary>The sender waits for credit: return now what is free.</summary>
    Blocked = 7,

    /// <summary>The asking side takes a request back; parts of it that were not sent will not follow.</summary>
    Cancel = 8,

    /// <summary>The last frame of a connection, with the reason.</summary>
    Close = 9,

    /// <summary>The head of a request, and the first bytes of its body.</summary>
    Request = 16,

    /// <summary>The head of the answer to a request, and the first bytes of its body.</summary>
    Response = 17,

    /// <summary>The answer to a request that failed.</summary>
    Failure = 18,

    /// <summary>More bytes of the body of the request or response that the frame's stream carries.</summary>
    Data = 19,
}
