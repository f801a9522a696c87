using EdgeSplit.Tests;

namespace EdgeSplit.Simulation.Tests;

public sealed class ScenarioFileTests
{
    [TestCase("{", "scenario.schema.json")]
    [TestCase("""{ "format": "edgesplit.fleet/1", "devices": [] }""", "edgesplit.scenario/1")]
    [TestCase("""{ "format": "edgesplit.scenario/1", "devices": [{ "id": "a", "speed": 3 }] }""", "speed")]
    [TestCase("""{ "format": "edgesplit.scenario/1", "devices": [{ "id": "a", "count": 0 }] }""", "count")]
    [TestCase("""{ "format": "edgesplit.scenario/1", "model": { "zoo": "resnet18", "file": "x.onnx" }, "devices": [] }""", "more than one")]
    public void Read_of_what_is_no_scenario_says_what_is_wrong(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "scenario.json");
        File.WriteAllText(path, text);
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => ScenarioFile.Read(path));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.InvalidArgument));
        Assert.That(exception!.Message, Does.Contain(expected));
    }

    [Test]
    public void Read_makes_as_many_devices_as_count_says()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "scenario.json");
        File.WriteAllText(path, """{ "format": "edgesplit.scenario/1", "devices": [{ "id": "a", "count": 3, "flopsPerSecond": 5e9 }, { "id": "b" }] }""");
        Assert.That(ScenarioFile.Read(path).Scenario.Devices.Select(static device => device.Device.Id), Is.EqualTo(new[] { "a-1", "a-2", "a-3", "b" }));
    }

    [Test]
    public async Task Run_of_a_scenario_that_contradicts_itself_names_the_member()
    {
        var scenario = new Scenario { Devices = [Scenarios.Device("a")], Changes = [new ScenarioChange { At = TimeSpan.Zero, DeviceId = "b", SpeedFactor = 0.5 }] };
        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => new Simulator(scenario, Scenarios.Model).RunAsync());
        Assert.That(exception!.Message, Does.Contain("changes[0].device").And.Contain("'b'"));
    }
}
