using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;

namespace EdgeSplit.Tool;

/// <summary>The inputs of a model as the user gives them, each a file or random.</summary>
internal sealed class InputTensors : IDisposable
{
    private const string Random = "random";
    private readonly Dictionary<string, Tensor> _byName = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Tensor> ByName => _byName;

    /// <summary>Loads inputs: <c>FILE</c> for the next input in the model's order, <c>NAME=FILE</c> for that one, <c>random</c> for all others.</summary>
    public static InputTensors Load(IReadOnlyCollection<TensorInfo> inputs, IReadOnlyCollection<string> sources, int seed, IReadOnlyDictionary<string, long> dimensions)
    {
        var loaded = new InputTensors();
        try
        {
            foreach (string source in sources.Where(static source => source != Random))
                loaded.Add(inputs, source);
            List<TensorInfo> missing = [.. inputs.Where(input => !loaded._byName.ContainsKey(input.Name))];
            if (missing.Count > 0 && sources.Count > 0 && !sources.Contains(Random))
                throw new BadUsageException($"No --input is given for {string.Join(", ", missing.Select(static input => $"'{input.Name}'"))}; add files, or --input random for the rest.");
            foreach ((string name, Tensor tensor) in RandomTensors.ForInputs(missing, seed, dimensions))
                loaded._byName.Add(name, tensor);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _byName.Values)
            tensor.Dispose();
    }

    private void Add(IReadOnlyCollection<TensorInfo> inputs, string source)
    {
        // A name may hold '=' as a path may: the model's names decide.
        TensorInfo? named = inputs.FirstOrDefault(input => source.StartsWith(input.Name + "=", StringComparison.Ordinal));
        TensorInfo target = named
            ?? inputs.FirstOrDefault(input => !_byName.ContainsKey(input.Name))
            ?? throw new BadUsageException($"--input '{source}' is one more than the model has inputs ({inputs.Count}).");
        string path = named is null ? source : source[(named.Name.Length + 1)..];
        if (!_byName.TryAdd(target.Name, OnnxTensorFile.Read(path)))
            throw new BadUsageException($"The input '{target.Name}' is given twice.");
    }
}
