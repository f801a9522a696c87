using System.Diagnostics;
using System.Globalization;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Benchmarks.Pipelines;

/// <summary>
/// The yardstick: a process that is tied to one core with <c>taskset</c> and runs a whole model with nothing but ONNX Runtime, on
/// one thread, one request after the other.
/// </summary>
internal sealed class OneCoreModel : IAsyncDisposable
{
    public const string Verb = "one-core-model";

    private readonly Process _process;

    private OneCoreModel(Process process) => _process = process;

    public static async Task<OneCoreModel> StartAsync(int core, string model, string path)
    {
        var start = new ProcessStartInfo("taskset") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])["-c", core.ToString(CultureInfo.InvariantCulture), .. SelfStart.Command(Verb, model, path)])
            start.ArgumentList.Add(argument);
        var running = new OneCoreModel(Process.Start(start)!);
        await running.ReadAsync();
        return running;
    }

    /// <summary>Runs the model for some seconds.</summary>
    /// <returns>Requests per second.</returns>
    public async Task<double> RunAsync(TimeSpan time)
    {
        await _process.StandardInput.WriteLineAsync(time.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        return double.Parse(await ReadAsync(), CultureInfo.InvariantCulture);
    }

    /// <summary>The process: for each line of its input, a number of seconds, it writes one with the requests per second.</summary>
    public static async Task<int> ServeAsync(string model, string path)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        ZooEntry entry = Zoo.Get(model);
        // What the agents' parts may not know for certain, the yardstick may: every size that is in use.
        foreach ((string symbol, long size) in entry.TypicalDimensions)
            options.AddFreeDimensionOverrideByName(symbol, size);
        using var session = new InferenceSession(path, options);
        using var run = new RunOptions();
        IReadOnlyDictionary<string, Tensor> inputs = entry.CreateInputs();
        string[] names = [.. inputs.Keys];
        OrtValue[] values = [.. inputs.Values.Select(ToValue)];
        Once();
        await Console.Out.WriteLineAsync("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            TimeSpan time = TimeSpan.FromSeconds(double.Parse(line, CultureInfo.InvariantCulture));
            int count = 0;
            long started = Stopwatch.GetTimestamp();
            for (; Stopwatch.GetElapsedTime(started) < time; count++)
                Once();
            await Console.Out.WriteLineAsync((count / Stopwatch.GetElapsedTime(started).TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }
        return 0;

        void Once()
        {
            foreach (OrtValue output in session.Run(run, names, values, session.OutputNames))
                output.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> ReadAsync() => await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The model's process ended.");

    private static OrtValue ToValue(Tensor tensor)
    {
        long[] shape = [.. tensor.Shape.Dimensions];
        return tensor.ElementType == TensorElementType.Float
            ? OrtValue.CreateTensorValueFromMemory(tensor.AsSpan<float>().ToArray(), shape)
            : OrtValue.CreateTensorValueFromMemory(tensor.AsSpan<long>().ToArray(), shape);
    }
}
