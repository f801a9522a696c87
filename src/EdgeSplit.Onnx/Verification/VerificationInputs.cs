using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Verification;

/// <summary>The inputs to verify with: those given, those from a data folder, and random ones for the others.</summary>
internal sealed class VerificationInputs(SplitVerifierOptions options, InferenceSession session)
{
    private readonly RandomInputs _random = new(options.Seed, options.FreeDimensions);

    /// <summary>How many times <see cref="Create"/> has something new to try.</summary>
    public int AttemptCount => options.DataFolder is null ? RandomInputs.AttemptCount : 1;

    /// <summary>Makes the inputs; the caller disposes of them.</summary>
    /// <param name="attempt">Which of the random choices to take.</param>
    public Dictionary<string, OrtValue> Create(int attempt)
    {
        Dictionary<string, OrtValue> values = options.DataFolder is null
            ? []
            : DataFolderInputs.Read(options.DataFolder, session.InputNames, session.InputMetadata);
        foreach ((string name, Tensor tensor) in options.Inputs)
        {
            if (!session.InputMetadata.ContainsKey(name))
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The model has no input '{name}'; its inputs are {string.Join(", ", session.InputNames.Select(static input => $"'{input}'"))}.");
            values[name] = OrtValues.Create(tensor);
        }
        if (options.DataFolder is null)
        {
            var missing = session.InputMetadata.Where(pair => !values.ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);
            foreach ((string name, OrtValue value) in _random.Create(missing, attempt))
                values.Add(name, value);
        }
        return values;
    }
}
