using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>
/// Makes a runtime look slower than it is, to rehearse slow devices on a fast one: after each execution it waits until
/// the whole took <see cref="Factor"/> times as long, and it divides the rates that calibration measures by the same factor.
/// </summary>
/// <remarks>Thread-safe. The factor may be changed while partitions run; executions that begin later go by it.</remarks>
public sealed class SlowedPartitionRuntime : IPartitionRuntime
{
    private readonly IPartitionRuntime _inner;
    private readonly TimeProvider _time;

    /// <summary>Creates the decorator.</summary>
    /// <param name="inner">The runtime that does the work. Stays the caller's.</param>
    /// <param name="factor">How many times slower; at least 1.</param>
    /// <param name="timeProvider">The clock; the system's where null.</param>
    public SlowedPartitionRuntime(IPartitionRuntime inner, double factor, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        _inner = inner;
        Factor = Checked(factor, nameof(factor));
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <summary>How many times slower than it is the runtime looks; at least 1.</summary>
    public double Factor
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, Checked(value, nameof(value)));
    }

    /// <inheritdoc/>
    public string Name => _inner.Name;

    /// <inheritdoc/>
    public string ExecutionProvider => _inner.ExecutionProvider;

    /// <inheritdoc/>
    public async ValueTask<Device> CalibrateAsync(CancellationToken cancellationToken)
    {
        Device device = await _inner.CalibrateAsync(cancellationToken).ConfigureAwait(false);
        double factor = Factor;
        return device with
        {
            FlopsPerSecond = device.FlopsPerSecond / factor,
            MemoryBytesPerSecond = device.MemoryBytesPerSecond / factor,
            LayerOverheadSeconds = device.LayerOverheadSeconds * factor,
        };
    }

    /// <inheritdoc/>
    public async ValueTask<IPartitionExecutor> LoadAsync(ModelPartition partition, string blobFolder, bool isUrgent, CancellationToken cancellationToken) =>
        new SlowedExecutor(await _inner.LoadAsync(partition, blobFolder, isUrgent, cancellationToken).ConfigureAwait(false), this);

    private static double Checked(double factor, string parameter) => factor >= 1 && double.IsFinite(factor)
        ? factor
        : throw new ArgumentOutOfRangeException(parameter, factor, "A runtime can be slowed by a factor of at least 1.");

    private sealed class SlowedExecutor(IPartitionExecutor inner, SlowedPartitionRuntime runtime) : IPartitionExecutor
    {
        // Timers are only good to about a millisecond, so what a wait misses or overshoots is carried to the next.
        private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
        private readonly Lock _lock = new();
        private TimeSpan _owed;

        public IReadOnlyDictionary<string, Tensor> Execute(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
        {
            double factor = runtime.Factor;
            long started = runtime._time.GetTimestamp();
            IReadOnlyDictionary<string, Tensor> outputs = inner.Execute(inputs, cancellationToken);
            try
            {
                Wait(runtime._time.GetElapsedTime(started) * (factor - 1), cancellationToken);
                return outputs;
            }
            catch
            {
                outputs.DisposeTensors();
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
            long started = runtime._time.GetTimestamp();
            Task.Delay(due, runtime._time, cancellationToken).GetAwaiter().GetResult();
            lock (_lock)
                _owed += due - runtime._time.GetElapsedTime(started);
        }
    }
}
