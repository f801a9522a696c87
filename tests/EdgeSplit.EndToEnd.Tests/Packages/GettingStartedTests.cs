using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Packages;

/// <summary>A new user's path: what docs/getting-started.md says, line by line, in a clean clone.</summary>
[NonParallelizable]
internal sealed partial class GettingStartedTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(9);

    [Test]
    [Explicit("It builds everything, packs it, installs the command and makes an application: some minutes.")]
    public async Task Page_followedInACleanClone_works()
    {
        using var folder = new TemporaryFolder();
        string clone = folder["edgesplit"];
        await RunAsync(folder.Path, "git", "clone", "--quiet", RepositoryRoot.Path, clone);
        string page = await File.ReadAllTextAsync(Path.Combine(clone, "docs", "getting-started.md"));
        DotnetProcess? agent = null;
        try
        {
            foreach (Match block in Block().Matches(page))
            {
                if (block.Groups["language"].Value == "csharp")
                {
                    await File.WriteAllTextAsync(Path.Combine(clone, "MyApp", "Program.cs"), block.Groups["code"].Value);
                    continue;
                }
                foreach (string line in block.Groups["code"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    // Each line has a shell of its own, so what one exports is given to the next here.
                    string command = $"export PATH=\"$PATH:$PWD/tools\"; {line}";
                    if (line.StartsWith("edgesplit agent", StringComparison.Ordinal))
                    {
                        agent = DotnetProcess.StartProgram("bash", ["-c", command], clone);
                        await agent.WaitForLineAsync("listening on", Limit);
                        continue;
                    }
                    long started = Stopwatch.GetTimestamp();
                    await RunAsync(clone, "bash", "-c", command);
                    TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalSeconds,5:0} s  {line}"));
                }
            }
        }
        finally
        {
            if (agent is not null)
                await agent.DisposeAsync();
        }
    }

    private static async Task RunAsync(string folder, string program, params string[] arguments)
    {
        await using DotnetProcess process = DotnetProcess.StartProgram(program, arguments, folder);
        DotnetProcess.Outcome outcome = await process.WaitForExitAsync(Limit);
        Assert.That(outcome.ExitCode, Is.Zero, $"{string.Join(' ', arguments)}\n{outcome.Output}\n{outcome.Error}");
    }

    [GeneratedRegex("^```(?<language>shell|csharp)\n(?<code>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
