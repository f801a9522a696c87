using EdgeSplit.Agents;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testbed.Load;

/// <summary>A model of the zoo in a file, with some different inputs and what the unsplit model gives for each of them.</summary>
public sealed class TestModel : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgesplit-testmodel-");

    private TestModel(ZooEntry entry)
    {
        Path = System.IO.Path.Combine(_folder.FullName, entry.Name + ".onnx");
        Format = new OnnxModelFormat(new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions });
    }

    /// <summary>The model's file.</summary>
    public string Path { get; }

    /// <summary>Opens the model for a coordinator.</summary>
    public OnnxModelFormat Format { get; }

    /// <summary>Inputs and the unsplit model's outputs.</summary>
    public IReadOnlyList<(IReadOnlyDictionary<string, Tensor> Inputs, IReadOnlyDictionary<string, Tensor> Expected)> Samples { get; private set; } = [];

    /// <summary>Writes the model and runs it, unsplit, in this process.</summary>
    public static async Task<TestModel> CreateAsync(string zooName, int samples = 8)
    {
        ZooEntry entry = Zoo.Get(zooName);
        var model = new TestModel(entry);
        entry.Write(model.Path);
        using IPartitionExecutor whole = await new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 }).LoadModelAsync(model.Path);
        model.Samples = [.. Enumerable.Range(0, samples).Select(seed =>
        {
            IReadOnlyDictionary<string, Tensor> inputs = entry.CreateInputs(seed);
            return (inputs, whole.Execute(inputs, CancellationToken.None));
        })];
        return model;
    }

    /// <summary>Deletes the file.</summary>
    public void Dispose()
    {
        foreach ((IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor> expected) in Samples)
        {
            foreach (Tensor tensor in inputs.Values.Concat(expected.Values))
                tensor.Dispose();
        }
        _folder.Delete(recursive: true);
    }
}
