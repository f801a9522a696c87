using System.Runtime.InteropServices;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>Runs partitions of <see cref="FakeModel"/>. Hooks let a test hold, delay or fail loads and executions.</summary>
public sealed class FakePartitionRuntime : IPartitionRuntime
{
    private int _loads;
    private int _urgentLoads;
    private int _liveExecutors;
    private int _executions;
    private int _calibrations;

    /// <inheritdoc/>
    public string Name => "fake 1.0";

    /// <inheritdoc/>
    public string ExecutionProvider => "CPU";

    /// <summary>What calibration finds.</summary>
    public Device Device { get; init; } = new() { Id = "fake", Origin = CostOrigin.Calibrated };

    /// <summary>Counts the outputs that are not disposed of.</summary>
    public TensorLedger Ledger { get; init; } = new();

    /// <summary>Called before each load is done.</summary>
    public Func<ModelPartition, CancellationToken, Task>? Loading { get; set; }

    /// <summary>Called on the executing thread before each execution is done.</summary>
    public Action<ModelPartition, CancellationToken>? Executing { get; set; }

    /// <summary>Loads that succeeded.</summary>
    public int Loads => _loads;

    /// <summary>Those of them that requests waited for.</summary>
    public int UrgentLoads => _urgentLoads;

    /// <summary>Executors that are not disposed of.</summary>
    public int LiveExecutors => _liveExecutors;

    /// <summary>Executions that were started.</summary>
    public int Executions => _executions;

    /// <summary>Calibrations that were started.</summary>
    public int Calibrations => _calibrations;

    /// <inheritdoc/>
    public ValueTask<Device> CalibrateAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calibrations);
        return new ValueTask<Device>(Device);
    }

    /// <inheritdoc/>
    public async ValueTask<IPartitionExecutor> LoadAsync(ModelPartition partition, string blobFolder, bool isUrgent, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Loading is not null)
            await Loading(partition, cancellationToken);
        FakeSkeleton skeleton = FakeSkeleton.Read(partition.Skeleton.Span);
        var weights = new Dictionary<string, float[]>();
        foreach (FakeNode node in skeleton.Nodes)
        {
            if (node.Operation is not (FakeNode.Mix or FakeNode.Copy))
                throw new EdgeSplitException(EdgeSplitError.UnsupportedModel, $"There is no operation '{node.Operation}'.");
            if (node.Weight is not null)
                weights[node.Weight] = MemoryMarshal.Cast<byte, float>(await File.ReadAllBytesAsync(Path.Combine(blobFolder, node.Weight), cancellationToken)).ToArray();
        }
        Interlocked.Increment(ref _loads);
        if (isUrgent)
            Interlocked.Increment(ref _urgentLoads);
        Interlocked.Increment(ref _liveExecutors);
        return new Executor(this, partition, skeleton, weights);
    }

    private sealed class Executor(FakePartitionRuntime runtime, ModelPartition partition, FakeSkeleton skeleton, Dictionary<string, float[]> weights) : IPartitionExecutor
    {
        private int _disposed;

        public IReadOnlyDictionary<string, Tensor> Execute(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            Interlocked.Increment(ref runtime._executions);
            CheckInputs(inputs);
            runtime.Executing?.Invoke(partition, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            var values = new Dictionary<string, Tensor>(inputs);
            foreach (FakeNode node in skeleton.Nodes)
                FakeMath.Run(node, values, node.Weight is null ? default : weights[node.Weight], runtime.Ledger.Allocate);
            foreach ((string name, Tensor tensor) in values)
            {
                if (!inputs.ContainsKey(name) && !skeleton.Outputs.Contains(name))
                    tensor.Dispose();
            }
            return skeleton.Outputs.ToDictionary(static name => name, name => values[name]);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
                Interlocked.Decrement(ref runtime._liveExecutors);
        }

        private void CheckInputs(IReadOnlyDictionary<string, Tensor> inputs)
        {
            foreach (TensorInfo info in partition.Inputs)
            {
                if (!inputs.TryGetValue(info.Name, out Tensor? tensor))
                    throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{info.Name}' is missing.");
                if (tensor.ElementType != info.ElementType)
                    throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{info.Name}' is {tensor.ElementType}, not {info.ElementType}.");
            }
            if (inputs.Count != partition.Inputs.Length)
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, "There are more inputs than the partition has.");
        }
    }
}
