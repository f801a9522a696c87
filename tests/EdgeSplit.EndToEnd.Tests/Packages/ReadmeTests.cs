using System.Text.RegularExpressions;
using EdgeSplit.EndToEnd.Tests.Processes;

namespace EdgeSplit.EndToEnd.Tests.Packages;

/// <summary>What the README says holds.</summary>
internal sealed class ReadmeTests
{
    [Test]
    public void Readme_csharpBlocks_areAllSnippetsThatTestsRun() => Assert.That(ReadmeSnippets.CountAll(), Is.EqualTo(2));

    [Test]
    public void Readme_links_leadToFiles()
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md"));
        foreach (Match link in Regex.Matches(readme, @"\]\((?<path>[^)#:]+)\)"))
            Assert.That(File.Exists(Path.Combine(RepositoryRoot.Path, link.Groups["path"].Value)), link.Value);
    }

    [Test]
    public async Task QuickStart_run_showsThatTheSplitResultIsTheUnsplitOne()
    {
        string program = SampleAssembly("QuickStart");
        DotnetProcess.Outcome outcome = await DotnetProcess.RunAsync(TimeSpan.FromMinutes(4), [program]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Output + outcome.Error);
        Assert.That(outcome.Output, Does.Contain("largest difference from the unsplit model").And.Contain("throughput"));
    }

    [Test]
    public async Task CustomCostModel_run_changesThePlan()
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunAsync(TimeSpan.FromMinutes(4), [SampleAssembly("CustomCostModel")]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Output + outcome.Error);
        Assert.That(outcome.Output, Does.Contain("throughput").And.Contain("metered battery"));
    }

    private static string SampleAssembly(string name)
    {
        string relative = Path.GetRelativePath(Path.Combine(RepositoryRoot.Path, "tests", "EdgeSplit.EndToEnd.Tests"), AppContext.BaseDirectory);
        return Path.Combine(RepositoryRoot.Path, "samples", name, relative, $"{name}.dll");
    }
}
