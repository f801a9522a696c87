namespace EdgeSplit.Transport.Framing;

/// <summary>What one side takes from the other, told in the handshake and enforced on every frame.</summary>
/// <param name="MaxHeaderBytes">The longest frame header.</param>
/// <param name="MaxTensorBytes">The largest tensor.</param>
/// <param name="MaxBufferedBytes">The bytes of bodies that may be under way or not yet consumed; also the largest message.</param>
/// <param name="MaxConcurrentRequests">Requests that may be unanswered.</param>
internal readonly record struct WireLimits(int MaxHeaderBytes, int MaxTensorBytes, long MaxBufferedBytes, int MaxConcurrentRequests)
{
    /// <summary>Headers stay readable by every peer of this version up to this length, also during the handshake.</summary>
    public const int LeastHeaderBytes = 4096;
}
