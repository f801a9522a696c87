using System.Text.Json;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Commands;

/// <summary><c>edgesplit plan</c> places a real model under the constraints that its options give.</summary>
internal sealed class PlanTests
{
    private const string Fleet = """
        {
          "format": "edgesplit.fleet/1",
          "source": "phone",
          "devices": [
            { "id": "phone", "flopsPerSecond": 1e9 },
            { "id": "box-1", "flopsPerSecond": 5e9 },
            { "id": "box-2", "flopsPerSecond": 5e9 }
          ],
          "defaultLink": { "bytesPerSecond": 1e8, "latencySeconds": 0.0005 }
        }
        """;

    [Test]
    public async Task Plan_withConstraints_keepsEachOfThem()
    {
        using var folder = new TemporaryFolder();
        (string model, string[] layers) = await ModelAsync(folder);
        string[] assigned = await PlanAsync(folder, model, "--objective", "throughput",
            "--private-layers", "2",
            "--pin", $"{layers[5]}=box-2",
            "--pin", "6=box-2",
            "--forbid", $"{layers[^1]}=box-2",
            "--forbid", $"{layers[^1]}=phone",
            "--colocate", $"{layers[7]},{layers[9]},8");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(assigned[..2], Is.All.EqualTo("phone"));
            Assert.That(assigned[5..7], Is.All.EqualTo("box-2"));
            Assert.That(assigned[^1], Is.EqualTo("box-1"));
            Assert.That(assigned[7..10].Distinct().Count(), Is.EqualTo(1));
        }
    }

    [TestCase("1")]
    [TestCase("2")]
    public async Task Plan_withMostDevices_usesNoMore(string most)
    {
        using var folder = new TemporaryFolder();
        (string model, _) = await ModelAsync(folder);
        string[] assigned = await PlanAsync(folder, model, "--objective", "throughput", "--max-replicas", "1", "--max-devices", most);
        Assert.That(assigned.Distinct().Count(), Is.EqualTo(int.Parse(most)));
    }

    [Test]
    public async Task Plan_forThroughput_showsCopiesEverywhere()
    {
        using var folder = new TemporaryFolder();
        (string model, _) = await ModelAsync(folder);
        await File.WriteAllTextAsync(folder["fleet.json"], Fleet);
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(
            ["plan", model, "--fleet", folder["fleet.json"], "--objective", "throughput", "--out", folder["plan.json"], "--html", folder["plan.html"]]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using JsonDocument plan = JsonDocument.Parse(await File.ReadAllTextAsync(folder["plan.json"]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.RootElement.GetProperty("routes").EnumerateArray().Sum(static route => route.GetProperty("share").GetDouble()), Is.EqualTo(1).Within(1e-9));
            Assert.That(outcome.Output, Does.Contain("in turn").And.Contain("box-1").And.Contain("box-2"));
            Assert.That(await File.ReadAllTextAsync(folder["plan.html"]), Does.Contain("\"routes\":["));
        }
    }

    [TestCase("auto")]
    [TestCase("cp-sat")]
    [TestCase("layerwise")]
    public async Task Plan_withSolver_isItsPlan(string solver)
    {
        using var folder = new TemporaryFolder();
        (string model, string[] layers) = await ModelAsync(folder);
        string[] assigned = await PlanAsync(folder, model, "--objective", "throughput", "--solver", solver, "--time-limit", "0.2");
        Assert.That(assigned, Has.Length.EqualTo(layers.Length));
        using JsonDocument plan = JsonDocument.Parse(await File.ReadAllTextAsync(folder["plan.json"]));
        Assert.That(plan.RootElement.GetProperty("partitioner").GetString(), Is.EqualTo(solver));
    }

    [TestCase(2, "no_such_solver", "--solver", "no_such_solver")]
    [TestCase(1, "no_such_layer", "--pin", "no_such_layer=phone")]
    [TestCase(1, "no_such_device", "--pin", "0=no_such_device")]
    [TestCase(1, "no_such_device", "--forbid", "0=no_such_device")]
    [TestCase(1, "no_such_layer", "--colocate", "0,no_such_layer")]
    [TestCase(1, "pinned", "--private-layers", "2", "--pin", "1=box-1")]
    [TestCase(2, "LAYER=DEVICE", "--pin", "0")]
    [TestCase(2, "two layers", "--colocate", "0")]
    [TestCase(2, "both on", "--pin", "0=box-1", "--pin", "0=box-2")]
    [TestCase(2, "--max-devices", "--max-devices", "0")]
    [TestCase(2, "--max-replicas", "--max-replicas", "0")]
    [TestCase(2, "--private-layers", "--private-layers", "1000000")]
    public async Task Plan_constraintThatCannotBe_saysWhatDoesNotExist(int exitCode, string mention, params string[] options)
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        await File.WriteAllTextAsync(folder["fleet.json"], Fleet);
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["plan", model, "--fleet", folder["fleet.json"], .. options]);
        Assert.That(outcome.ExitCode, Is.EqualTo(exitCode), outcome.Error);
        Assert.That(outcome.Error, Does.Contain(mention).And.Not.Contain("   at "));
    }

    private static async Task<(string Model, string[] Layers)> ModelAsync(TemporaryFolder folder)
    {
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync("inspect", model, "--json");
        using JsonDocument inspection = JsonDocument.Parse(outcome.Output);
        return (model, [.. inspection.RootElement.GetProperty("layers").EnumerateArray().Select(static layer => layer.GetProperty("name").GetString()!)]);
    }

    /// <summary>Plans a model, and gives the device of each layer.</summary>
    private static async Task<string[]> PlanAsync(TemporaryFolder folder, string model, params string[] options)
    {
        await File.WriteAllTextAsync(folder["fleet.json"], Fleet);
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["plan", model, "--fleet", folder["fleet.json"], "--out", folder["plan.json"], .. options]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using JsonDocument plan = JsonDocument.Parse(await File.ReadAllTextAsync(folder["plan.json"]));
        return [.. plan.RootElement.GetProperty("assignment").EnumerateObject().Select(static layer => layer.Value.GetString()!)];
    }
}
