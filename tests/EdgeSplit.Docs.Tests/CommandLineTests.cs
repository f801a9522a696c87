using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;

namespace EdgeSplit.Docs.Tests;

/// <summary>The commands that pages show exist, with their options.</summary>
internal sealed partial class CommandLineTests
{
    private static IEnumerable<TestCaseData> Lines => CodeBlock.ReadAll("shell", "sh", "bash").SelectMany(static block =>
        block.Code.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Select(static line => line.Trim().Replace("dotnet run --project src/EdgeSplit.Tool -- ", "edgesplit ", StringComparison.Ordinal))
            .Where(static line => line.StartsWith("edgesplit ", StringComparison.Ordinal))
            .Select(line => new TestCaseData(line) { TestName = $"EdgesplitLine_parses({block.Page}: {line.Split('#')[0].Trim()})" }));

    [TestCaseSource(nameof(Lines))]
    public void EdgesplitLine_parses(string line)
    {
        var root = new RootCommand();
        foreach (Type type in Assembly.Load("edgesplit").GetTypes().Where(static type => type.Namespace == "EdgeSplit.Tool.Commands" && type.Name.EndsWith("Command", StringComparison.Ordinal)))
        {
            if (type.GetMethod("Create", BindingFlags.Public | BindingFlags.Static, [])?.Invoke(null, null) is Command command)
                root.Add(command);
        }
        string[] arguments = [.. Word().Matches(Comment().Replace(line, "")).Select(static match => match.Value.Trim('"', '\'')).Skip(1)];
        Assert.That(root.Parse(arguments).Errors.Select(static error => error.Message), Is.Empty);
    }

    [GeneratedRegex("""\s#.*$""")]
    private static partial Regex Comment();

    [GeneratedRegex("""'[^']*'|"[^"]*"|\S+""")]
    private static partial Regex Word();
}
