using System.Text.Json;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Commands;

/// <summary><c>edgesplit simulate</c> plays the scenario that it prints, and says what is wrong with others.</summary>
internal sealed class SimulateTests
{
    [Test]
    public async Task Simulate_example_tells_the_course_and_writes_a_page_without_network()
    {
        using var folder = new TemporaryFolder();
        DotnetProcess.Outcome example = await DotnetProcess.RunToolAsync(["simulate", "--example"]);
        await File.WriteAllTextAsync(folder["scenario.json"], example.Output);

        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["simulate", folder["scenario.json"], "--json", "--html", folder["course.html"]]);

        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using JsonDocument report = JsonDocument.Parse(outcome.Output);
        JsonElement root = report.RootElement;
        long failed = root.GetProperty("failures").EnumerateObject().Sum(static failure => failure.Value.GetInt64());
        Assert.That(root.GetProperty("completed").GetInt64() + failed, Is.EqualTo(root.GetProperty("requests").GetInt64()));
        Assert.That(root.GetProperty("decisions").EnumerateArray().Count(static decision => decision.GetProperty("switched").GetBoolean()), Is.GreaterThanOrEqualTo(3));
        string page = await File.ReadAllTextAsync(folder["course.html"]);
        Assert.That(page, Does.Contain("a slow camera").And.Not.Contain("https://"));
    }

    [TestCase("""{ "format": "edgesplit.scenario/1", "devices": [{ "id": "a", "bytesPerSecond": -1 }], "model": { "zoo": "bert-tiny" } }""", "devices[0].bytesPerSecond")]
    [TestCase("""{ "format": "edgesplit.scenario/1", "devices": [{ "id": "a" }] }""", "model")]
    public async Task Simulate_bad_scenario_says_what_is_wrong(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["scenario.json"], text);
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["simulate", folder["scenario.json"]]);
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain(expected));
    }
}
