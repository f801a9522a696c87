using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>
/// Makes a runtime look slower than it is, to rehearse slow devices on a fast one: after each execution it waits until
/// the whole took <c>factor</c> times as long, and it divides the rates that calibration measures by the same factor.
/// </summary>
public sealed class SlowedPartitionRuntime : IPartitionRuntime
{
    private readonly IPartitionRuntime _inner;
    private readonly double _factor;
    private readonly TimeProvider _time;

    /// <summary>Creates the decorator.</summary>
    /// <param name="inner">The runtime that does the work. Stays the caller's.</param>
    /// <param name="factor">How many times slower; at least 1.</param>
    /// <param name="timeProvider">The clock; the system's where null.</param>
    public SlowedPartitionRuntime(IPartitionRuntime inner, double factor, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        if (!(factor >= 1 && double.IsFinite(factor)))
            throw new ArgumentOutOfRangeException(nameof(factor), factor, "A runtime can be slowed by a factor of at least 1.");
        _inner = inner;
        _factor = factor;
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public string Name => _inner.Name;

    /// <inheritdoc/>
    public string ExecutionProvider => _inner.ExecutionProvider;

    /// <inheritdoc/>
    public async ValueTask<Device> CalibrateAsync(CancellationToken cancellationToken)
    {
        Device device = await _inner.CalibrateAsync(cancellationToken).ConfigureAwait(false);
        return device with
        {
            FlopsPerSecond = device.FlopsPerSecond / _factor,
            MemoryBytesPerSecond = device.MemoryBytesPerSecond / _factor,
            LayerOverheadSeconds = device.LayerOverheadSeconds * _factor,
        };
    }

    /// <inheritdoc/>
    public async ValueTask<IPartitionExecutor> LoadAsync(ModelPartition partition, string blobFolder, CancellationToken cancellationToken) =>
        new SlowedExecutor(await _inner.LoadAsync(partition, blobFolder, cancellationToken).ConfigureAwait(false), _factor, _time);

    private sealed class SlowedExecutor(IPartitionExecutor inner, double factor, TimeProvider time) : IPartitionExecutor
    {
        // Timers are only good to about a millisecond, so what a wait misses or overshoots is carried to the next.
        private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
        private readonly Lock _lock = new();
        private TimeSpan _owed;

        public IReadOnlyDictionary<string, Tensor> Execute(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
        {
            long started = time.GetTimestamp();
            IReadOnlyDictionary<string, Tensor> outputs = inner.Execute(inputs, cancellationToken);
            try
            {
                Wait(time.GetElapsedTime(started) * (factor - 1), cancellationToken);
                return outputs;
            }
            catch
            {
                foreach (Tensor tensor in outputs.Values)
                    tensor.Dispose();
                throw;
            }
        }

        public void Dispose() => inner.Dispose();

        private void Wait(TimeSpan missing, CancellationToken cancellationToken)
        {
            TimeSpan due;
            lock (_lock)
            {
                _owed += missing;
                if (_owed < ShortestWait)
                    return;
                due = _owed;
                _owed = TimeSpan.Zero;
            }
            long started = time.GetTimestamp();
            Task.Delay(due, time, cancellationToken).GetAwaiter().GetResult();
            lock (_lock)
                _owed += due - time.GetElapsedTime(started);
        }
    }
}
