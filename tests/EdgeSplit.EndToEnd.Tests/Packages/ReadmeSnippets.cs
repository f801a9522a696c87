using System.Text.RegularExpressions;

namespace EdgeSplit.EndToEnd.Tests.Packages;

/// <summary>The C# blocks of the README, each marked by an HTML comment <c>snippet: NAME</c> before it.</summary>
internal static partial class ReadmeSnippets
{
    public static string Read(string name)
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md"));
        Match match = Snippet().Matches(readme).SingleOrDefault(match => match.Groups["name"].Value == name)
            ?? throw new InvalidOperationException($"The README has no snippet '{name}'.");
        return match.Groups["code"].Value;
    }

    /// <summary>How many C# blocks the README has, marked or not.</summary>
    public static int CountAll() => File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md")).Split("```csharp").Length - 1;

    [GeneratedRegex(@"<!-- snippet: (?<name>[\w-]+) -->\s*```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
