using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Onnx.Runtime.Native;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// Runs partitions of ONNX models with ONNX Runtime, on the best of the preferred execution providers that works here.
/// </summary>
/// <remarks>
/// Thread-safe. The application brings the native library: it references <c>Microsoft.ML.OnnxRuntime</c> or
/// <c>Microsoft.ML.OnnxRuntime.Gpu</c>. Without it every member but the constructor throws an
/// <see cref="EdgeSplitException"/> that says so.
/// </remarks>
public sealed class OnnxPartitionRuntime : IPartitionRuntime, IDisposable
{
    private readonly OnnxRuntimeOptions _options;
    private readonly Lazy<ExecutionProviders> _providers;
    private readonly OptimizedModels? _optimized;

    /// <summary>Creates a runtime.</summary>
    /// <param name="options">How partitions are run; null for the defaults.</param>
    public OnnxPartitionRuntime(OnnxRuntimeOptions? options = null)
    {
        _options = options ?? new OnnxRuntimeOptions();
        _providers = new Lazy<ExecutionProviders>(() => ExecutionProviders.Probe(_options.ExecutionProviders));
        if (_options is { OptimizedModelFolder: { } folder, Optimization: not GraphOptimization.Off })
            _optimized = new OptimizedModels(folder, _options.OptimizedModelLimitBytes);
    }

    /// <inheritdoc/>
    public string Name => $"onnxruntime {OrtNative.Version}";

    /// <inheritdoc/>
    public string ExecutionProvider => _providers.Value.Name;

    /// <summary>For each preferred execution provider that does not work here, its name and why.</summary>
    public ImmutableArray<string> UnavailableProviders => _providers.Value.Unavailable;

    /// <summary>The options that the runtime was created with.</summary>
    public OnnxRuntimeOptions Options => _options;

    /// <inheritdoc/>
    public ValueTask<Device> CalibrateAsync(CancellationToken cancellationToken) =>
        new(Task.Run(() => Calibration.Measure(this, cancellationToken), cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<IPartitionExecutor> LoadAsync(ModelPartition partition, string blobFolder, bool isUrgent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partition);
        ArgumentException.ThrowIfNullOrEmpty(blobFolder);
        // Threads that a session has of its own would give way to others for as long as they live.
        return await (_options.ThreadCount == 1 && !isUrgent
            ? YieldingThread.RunAsync(() => Load(partition, blobFolder, isUrgent, cancellationToken))
            : Task.Run(() => Load(partition, blobFolder, isUrgent, cancellationToken), cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Builds an executor of a whole model, the reference for a split one.</summary>
    /// <param name="path">The model file, below 2 GiB; weights in files beside it may be larger.</param>
    /// <param name="cancellationToken">Stops the load.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>, <see cref="EdgeSplitError.InvalidModel"/> or <see cref="EdgeSplitError.UnsupportedModel"/>.</exception>
    public async ValueTask<IPartitionExecutor> LoadModelAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] model;
        try
        {
            model = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"The model '{path}' cannot be read: {exception.Message}", exception);
        }
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return await Task.Run(() => Load(() => CreateSession(model, folder, adjust: null, cancellationToken), $"'{path}'", cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes what is kept in <see cref="OnnxRuntimeOptions.OptimizedModelFolder"/>; without that there is nothing to dispose of. Loaded partitions stay usable.</summary>
    public void Dispose() => _optimized?.Dispose();

    private OnnxPartitionExecutor Load(ModelPartition partition, string blobFolder, bool isUrgent, CancellationToken cancellationToken)
    {
        ModelProto skeleton = SkeletonChecks.Require(partition);
        bool leavesNoTrace = Repeatability.LeavesNoTrace(skeleton);
        OnnxPartitionExecutor executor = Load(
            () => LoadOptimized(partition, skeleton, blobFolder, isUrgent, cancellationToken) ?? CreateSession(partition.Skeleton.Span, blobFolder, adjust: null, cancellationToken),
            $"partition {partition.Id}", cancellationToken);
        try
        {
            if (_options.WarmsUp && leavesNoTrace)
                WarmUp.Run(executor, cancellationToken);
            NativeHeap.Trim();
            return executor;
        }
        catch
        {
            executor.Dispose();
            throw;
        }
    }

    // Whoever loads a partition for the first time runs what it was rewritten to, too: one way to run it, and the memory that rewriting takes goes back.
    // That takes half as long again, which nobody shall wait for.
    private OrtSession? LoadOptimized(ModelPartition partition, ModelProto skeleton, string blobFolder, bool isUrgent, CancellationToken cancellationToken)
    {
        if (_optimized is null || _providers.Value.Name != ExecutionProviders.Cpu || !OptimizedModels.CanKeep(skeleton))
            return null;
        OrtSession? known = LoadKept();
        if (known is not null || isUrgent || !_optimized.TryAdd(partition.Id, Rewrite))
            return known;
        return LoadKept();

        OrtSession? LoadKept() => _optimized.TryLoad(partition.Id, (graph, folder) => CreateSession(
            graph, folder, static settings => settings.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, cancellationToken));

        void Rewrite(string folder)
        {
            try
            {
                CreateSession(partition.Skeleton.Span, blobFolder, settings => OptimizedModels.SaveTo(settings, folder), cancellationToken, sharesArena: false).Dispose();
            }
            catch (OrtFailure)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw;
            }
        }
    }

    private OnnxPartitionExecutor Load(Func<OrtSession> create, string what, CancellationToken cancellationToken)
    {
        OrtSession session;
        try
        {
            session = create();
        }
        catch (OrtFailure failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new EdgeSplitException(failure.LoadError, $"ONNX Runtime rejects {what}: {failure.Message}", failure);
        }
        try
        {
            foreach (OrtSessionValue value in session.Inputs.Concat(session.OptionalInputs).Concat(session.Outputs))
            {
                if (value.Kind is not OrtValueKind.Tensor)
                    throw new EdgeSplitException(EdgeSplitError.UnsupportedModel, $"The value '{value.Info.Name}' of {what} is a {value.Kind}; only tensors pass into and out of a partition. Cut the model elsewhere.");
            }
            return new OnnxPartitionExecutor(what, session);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Loads a model with this runtime's options and provider.</summary>
    /// <param name="model">The model, below 2 GB.</param>
    /// <param name="externalDataFolder">The folder that its external data are in.</param>
    /// <param name="adjust">Changes the session's options before the load; null for none.</param>
    /// <param name="cancellationToken">Stops the load.</param>
    /// <param name="sharesArena">Whether its memory is the arena's that sessions share, or goes back to the system with it.</param>
    /// <exception cref="OrtFailure">ONNX Runtime rejects the model, or the load was stopped.</exception>
    internal OrtSession CreateSession(
        ReadOnlySpan<byte> model, string externalDataFolder, Action<SessionOptions>? adjust, CancellationToken cancellationToken, bool sharesArena = true)
    {
        using SessionOptions settings = SessionSettings.Create(_options, externalDataFolder, sharesArena);
        ExecutionProviders.Append(settings, _providers.Value.Name);
        adjust?.Invoke(settings);
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static state => ((SessionOptions)state!).SetLoadCancellationFlag(true), settings);
        return OrtSession.Create(model, settings);
    }
}
