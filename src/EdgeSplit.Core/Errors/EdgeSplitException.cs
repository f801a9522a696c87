namespace EdgeSplit;

/// <summary>
/// The one exception type that EdgeSplit throws for failures other than misuse of an argument
/// (<see cref="ArgumentException"/>), cancellation (<see cref="OperationCanceledException"/>) and use after disposal.
/// </summary>
public sealed class EdgeSplitException : Exception
{
    /// <summary>Creates an exception with a code and a message that says what was wrong and what to do next.</summary>
    public EdgeSplitException(EdgeSplitError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    /// <summary>What kind of failure this is.</summary>
    public EdgeSplitError Error { get; }

    /// <summary>Whether the same call may succeed later without any change to it.</summary>
    public bool IsTransient => Error is EdgeSplitError.AgentUnavailable or EdgeSplitError.Overloaded
        or EdgeSplitError.DeadlineExceeded or EdgeSplitError.ResourceExhausted or EdgeSplitError.PeerUnavailable;
}
