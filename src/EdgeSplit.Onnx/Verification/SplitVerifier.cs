using EdgeSplit.Models;
using EdgeSplit.Onnx.Splitting;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Verification;

/// <summary>
/// Runs a model whole and in parts on the same inputs and compares the outputs. The whole model runs once, when the
/// verifier is made; each split is then compared with that.
/// </summary>
/// <remarks>Not thread-safe. Weights of the parts are files in a temporary folder, which goes with the verifier.</remarks>
public sealed class SplitVerifier : IDisposable
{
    private readonly OnnxModel _model;
    private readonly SplitVerifierOptions _options;
    private readonly DirectoryInfo _blobFolder;
    private readonly NativeParts _nativeParts;
    private readonly RunOptions _runOptions = new();
    private readonly Dictionary<string, OrtValue> _inputs;
    private readonly Dictionary<string, OrtValue?> _expected;

    private SplitVerifier(OnnxModel model, SplitVerifierOptions options)
    {
        _model = model;
        _options = options;
        (_inputs, _expected) = RunWhole();
        _blobFolder = Directory.CreateTempSubdirectory("edgesplit-verify-");
        _nativeParts = new NativeParts(options, _blobFolder.FullName);
    }

    /// <summary>Runs the whole model.</summary>
    /// <param name="model">The model; it must outlive the verifier.</param>
    /// <param name="options">How to verify; the defaults where null.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.UnsupportedModel"/>: ONNX Runtime rejects the model;
    /// <see cref="EdgeSplitError.ExecutionFailed"/>: it does not run with the given inputs, or with any random ones tried;
    /// <see cref="EdgeSplitError.NotFound"/> or <see cref="EdgeSplitError.InvalidInput"/>: the data folder is of no use.</exception>
    public static SplitVerifier Create(OnnxModel model, SplitVerifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new SplitVerifier(model, options ?? new SplitVerifierOptions());
    }

    /// <summary>Runs the model in parts and compares.</summary>
    /// <param name="stages">The layers of each part, in an order in which the parts can run.</param>
    /// <param name="cancellationToken">Stops before the next part.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IllegalCut"/>: a part is not legal;
    /// <see cref="EdgeSplitError.ExecutionFailed"/>: ONNX Runtime rejects a part or fails to run it.</exception>
    public SplitComparison Verify(IEnumerable<IReadOnlyCollection<int>> stages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stages);
        var values = new Dictionary<string, OrtValue?>(StringComparer.Ordinal);
        var foreign = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, OrtValue value) in _inputs)
            values.Add(name, value);
        try
        {
            foreach (IReadOnlyCollection<int> layers in stages)
            {
                cancellationToken.ThrowIfCancellationRequested();
                RunPart(_model.Extract(layers), values, foreign, cancellationToken);
            }
            return new SplitComparison([.. _expected.Select(pair => ValueComparison.Compare(pair.Key, pair.Value, Output(values, pair.Key)))]);
        }
        finally
        {
            foreach ((string name, OrtValue? value) in values)
            {
                if (!_inputs.ContainsKey(name))
                    value?.Dispose();
            }
            foreign.DisposeTensors();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in _inputs.Values)
            value.Dispose();
        foreach (OrtValue? value in _expected.Values)
            value?.Dispose();
        _runOptions.Dispose();
        _blobFolder.Delete(recursive: true);
    }

    private static OrtValue? Output(Dictionary<string, OrtValue?> values, string name) => values.TryGetValue(name, out OrtValue? value)
        ? value
        : throw new EdgeSplitException(EdgeSplitError.IllegalCut, $"No stage makes the model's output '{name}'; the stages must hold all layers.");

    private (Dictionary<string, OrtValue> Inputs, Dictionary<string, OrtValue?> Outputs) RunWhole()
    {
        using SessionOptions sessionOptions = SessionOptionsOf();
        InferenceSession session;
        try
        {
            session = new InferenceSession(_model.Path, sessionOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.UnsupportedModel, $"ONNX Runtime rejects '{_model.Path}': {exception.Message}", exception);
        }
        using (session)
        {
            var source = new VerificationInputs(_options, session);
            for (int attempt = 0; ; attempt++)
            {
                Dictionary<string, OrtValue> inputs = source.Create(attempt);
                try
                {
                    return (inputs, Run(session, inputs, session.OutputNames, _model.Path));
                }
                catch (EdgeSplitException exception)
                {
                    foreach (OrtValue value in inputs.Values)
                        value.Dispose();
                    if (exception.Error != EdgeSplitError.ExecutionFailed || attempt + 1 >= source.AttemptCount)
                        throw;
                }
            }
        }
    }

    private void RunPart(ModelPartition part, Dictionary<string, OrtValue?> values, Dictionary<string, Tensor> foreign, CancellationToken cancellationToken)
    {
        foreach (BlobReference blob in part.Blobs)
            WriteBlob(blob, cancellationToken);
        if (NativeParts.Needs(part))
        {
            _nativeParts.Run(part, values, foreign, cancellationToken);
            return;
        }
        using SessionOptions sessionOptions = SessionOptionsOf();
        sessionOptions.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", _blobFolder.FullName);
        string what = $"the part that makes {string.Join(", ", part.Outputs.Take(3).Select(static output => $"'{output.Name}'"))}";
        InferenceSession session;
        try
        {
            session = new InferenceSession(part.Skeleton.ToArray(), sessionOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"ONNX Runtime rejects {what}: {exception.Message}", exception);
        }
        using (session)
        {
            var inputs = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
            foreach (TensorInfo input in part.Inputs)
            {
                if (values.GetValueOrDefault(input.Name) is { } value)
                    inputs.Add(input.Name, value);
            }
            foreach ((string name, OrtValue? value) in Run(session, inputs, [.. part.Outputs.Select(static output => output.Name)], what))
                values.Add(name, value);
        }
    }

    private void WriteBlob(BlobReference blob, CancellationToken cancellationToken)
    {
        string path = Path.Combine(_blobFolder.FullName, blob.Hash.ToString());
        if (File.Exists(path))
            return;
        using FileStream file = File.Create(path);
        BlobCopy.CopyAsync(_model, blob, file, cancellationToken).GetAwaiter().GetResult();
    }

    private Dictionary<string, OrtValue?> Run(InferenceSession session, Dictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputs, string what)
    {
        List<string> distinct = [.. outputs.Distinct(StringComparer.Ordinal)];
        try
        {
            IDisposableReadOnlyCollection<OrtValue> results = session.Run(_runOptions, inputs.Keys, inputs.Values, distinct);
            return distinct.Zip(results).ToDictionary(static pair => pair.First, static pair => (OrtValue?)pair.Second, StringComparer.Ordinal);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"ONNX Runtime fails to run {what}: {exception.Message}", exception);
        }
    }

    private SessionOptions SessionOptionsOf()
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = _options.Optimize ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = _options.Threads,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return options;
    }
}
