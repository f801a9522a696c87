using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Samples;

/// <summary>Runs the samples as a user would, but for building them.</summary>
internal sealed class SampleTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private static IEnumerable<string> Names =>
        Directory.GetDirectories(Path.Combine(RepositoryRoot.Path, "samples")).Where(static folder => Directory.GetFiles(folder, "*.csproj").Length > 0).Select(static folder => Path.GetFileName(folder));

    [TestCaseSource(nameof(Names))]
    public void EverySample_tellsWhatItIs(string name) =>
        Assert.That(Path.Combine(RepositoryRoot.Path, "samples", name, "README.md"), Does.Exist);

    [Test]
    public async Task CustomPartitioner_run_splitsWithoutChangingTheResult() =>
        Assert.That(await RunAsync("CustomPartitioner"), Does.Contain("fewest bytes: 2 stages, the unsplit model's result: bit for bit"));

    [Test]
    public async Task OpenInferenceClient_run_getsTheSameBitsBothWays() =>
        Assert.That(await RunAsync("OpenInferenceClient"), Does.Contain("1000 results").And.Contain("the same bits"));

    [Test]
    public async Task ImageClassification_run_namesFiveClasses()
    {
        string output = await RunAsync("ImageClassification");
        Assert.That(output, Does.Contain("ball.png: 480 x 360, 2 stages"));
        Assert.That(output.Split("  class ").Length - 1, Is.EqualTo(5), output);
    }

    [Test]
    public async Task LiveAdaptation_run_switchesAndLosesNoRequest() =>
        Assert.That(await RunAsync("LiveAdaptation"), Does.Contain("AgentWent").And.Contain("Switched to plan").And.Contain(" 0 failed"));

    [Test]
    public async Task TwoMachines_run_splitsOverTwoProcesses()
    {
        using var folder = new TemporaryFolder();
        await RunAsync("TwoMachines", "secrets", folder.Path);
        await using DotnetProcess agent = DotnetProcess.Start([AssemblyOf("TwoMachines"), "agent", "127.0.0.1:0", folder.Path]);
        string line = await agent.WaitForLineAsync("listening on ", Limit);
        string output = await RunAsync("TwoMachines", "coordinator", line[(line.LastIndexOf(' ') + 1)..], folder.Path);
        Assert.That(output, Does.Contain("on 'here'").And.Contain("on 'device'").And.Contain("20 requests"));
    }

    private static async Task<string> RunAsync(string name, params string[] arguments)
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunAsync(Limit, [AssemblyOf(name), .. arguments]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Output + outcome.Error);
        return outcome.Output;
    }

    private static string AssemblyOf(string name)
    {
        string relative = Path.GetRelativePath(Path.Combine(RepositoryRoot.Path, "tests", "EdgeSplit.EndToEnd.Tests"), AppContext.BaseDirectory);
        return Path.Combine(RepositoryRoot.Path, "samples", name, relative, $"{name}.dll");
    }
}
