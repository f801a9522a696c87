using System.Text.Json;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.EndToEnd.Tests.Commands;

/// <summary>What <c>edgesplit split</c> writes runs in plain ONNX Runtime, stage by stage, to the unsplit model's result.</summary>
internal sealed class SplitTests
{
    [Test]
    public async Task Split_inside_operators_that_run_as_one_is_done_and_says_that_it_is_not_wise()
    {
        using var folder = new TemporaryFolder();
        string model = folder["resnet18.onnx"];
        Zoo.Get("resnet18").Write(model);
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["split", model, "--at", "/layer1/layer1.0/conv1/Conv_output_0", "--out", folder["out"]]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.Error, Does.Contain("'/layer1/layer1.0/conv1/Conv_output_0'").And.Contain("slower"));
        Assert.That(File.Exists(folder["out", "stage-1.onnx"]));
    }

    [TestCase("--stages", "3")]
    [TestCase("--at", "CUT")]
    public async Task Split_zooModel_writesPartsThatRunInPlainOnnxRuntime(params string[] how)
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        if (how[1] == "CUT")
            how[1] = await FirstGoodCutAsync(model);

        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["split", model, .. how, "--out", folder["out"]]);

        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using JsonDocument manifest = JsonDocument.Parse(await File.ReadAllTextAsync(folder["out", "split.json"]));
        JsonElement root = manifest.RootElement;
        Assert.That(root.GetProperty("format").GetString(), Is.EqualTo("edgesplit.split/1"));
        Assert.That(root.GetProperty("stages").GetArrayLength(), Is.EqualTo(how[0] == "--stages" ? 3 : 2));

        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, IntraOpNumThreads = 1 };
        long[] ids = [101, 7, 42, 9, 102];
        long[] shape = [1, ids.Length];
        var values = new Dictionary<string, OrtValue>
        {
            ["input_ids"] = OrtValue.CreateTensorValueFromMemory(ids, shape),
            ["attention_mask"] = OrtValue.CreateTensorValueFromMemory(new long[] { 1, 1, 1, 1, 1 }, shape),
            ["token_type_ids"] = OrtValue.CreateTensorValueFromMemory(new long[5], shape),
        };
        Assert.That(Names(root, "inputs"), Is.SubsetOf(values.Keys));
        string[] outputs = Names(root, "outputs");
        using var runOptions = new RunOptions();
        using var whole = new InferenceSession(model, options);
        using IDisposableReadOnlyCollection<OrtValue> expected = Run(whole, Names(root, "inputs"), outputs);
        foreach (JsonElement stage in root.GetProperty("stages").EnumerateArray())
        {
            // From bytes, as one would send it: the parts are self-contained.
            using var part = new InferenceSession(await File.ReadAllBytesAsync(folder["out", stage.GetProperty("model").GetString()!]), options);
            string[] made = Names(stage, "outputs");
            foreach ((string name, OrtValue value) in made.Zip(Run(part, Names(stage, "inputs"), made)))
                values[name] = value;
        }

        using (Assert.EnterMultipleScope())
        {
            foreach ((string name, OrtValue value) in outputs.Zip(expected))
                Assert.That(values[name].GetTensorDataAsSpan<float>().SequenceEqual(value.GetTensorDataAsSpan<float>()), name);
        }
        foreach (OrtValue value in values.Values)
            value.Dispose();

        IDisposableReadOnlyCollection<OrtValue> Run(InferenceSession session, string[] inputNames, string[] outputNames) =>
            session.Run(runOptions, inputNames, [.. inputNames.Select(name => values[name])], outputNames);
    }

    private static async Task<string> FirstGoodCutAsync(string model)
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync("inspect", model, "--json");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using JsonDocument inspection = JsonDocument.Parse(outcome.Output);
        return string.Join(',', Names(inspection.RootElement.GetProperty("cuts")[0], "at"));
    }

    private static string[] Names(JsonElement element, string property) => [.. element.GetProperty(property).EnumerateArray().Select(static name => name.GetString()!)];
}
