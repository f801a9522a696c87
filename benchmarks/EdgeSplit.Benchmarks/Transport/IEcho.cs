namespace EdgeSplit.Benchmarks.Transport;

/// <summary>A client and a server that answers it; disposal ends both.</summary>
internal interface IEcho : IAsyncDisposable
{
    /// <summary>Sends a body and waits for the answer. One call at a time.</summary>
    Task CallAsync(byte[] body);
}
