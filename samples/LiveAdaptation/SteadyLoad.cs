using EdgeSplit;
using EdgeSplit.Coordination;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;

namespace LiveAdaptation;

/// <summary>Keeps a number of requests in flight until stopped, and counts what comes of them.</summary>
internal sealed class SteadyLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly IReadOnlyDictionary<string, Tensor> _inputs;
    private readonly Task _callers;
    private long _completed;
    private long _failed;

    public SteadyLoad(Deployment deployment, int inFlight)
    {
        _inputs = RandomTensors.ForInputs(deployment.Inputs, seed: 3);
        _callers = Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => Task.Run(() => CallAsync(deployment))));
    }

    public long Completed => Interlocked.Read(ref _completed);

    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Lets the requests in flight end and sends no more.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _callers;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (Tensor tensor in _inputs.Values)
            tensor.Dispose();
        _stopping.Dispose();
    }

    private async Task CallAsync(Deployment deployment)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                using FinalResult result = await deployment.InferAsync(_inputs);
                Interlocked.Increment(ref _completed);
            }
            catch (EdgeSplitException exception)
            {
                Interlocked.Increment(ref _failed);
                Console.WriteLine($"  a request failed: {exception.Error}: {exception.Message}");
            }
        }
    }
}
