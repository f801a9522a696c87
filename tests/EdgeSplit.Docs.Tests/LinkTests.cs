using System.Text.RegularExpressions;

namespace EdgeSplit.Docs.Tests;

/// <summary>Links between pages lead somewhere.</summary>
internal sealed partial class LinkTests
{
    private static IEnumerable<string> All => Pages.All;

    [TestCaseSource(nameof(All))]
    public void Links_leadToFilesAndHeadings(string page)
    {
        string text = Fences().Replace(Pages.Read(page), "");
        foreach (Match match in Link().Matches(text))
        {
            string path = match.Groups["path"].Value, heading = match.Groups["heading"].Value;
            string file = path.Length == 0 ? Path.Combine(Pages.Root, page) : Path.GetFullPath(Path.Combine(Pages.Root, Path.GetDirectoryName(page)!, path));
            Assert.That(File.Exists(file) || Directory.Exists(file), $"{page}: {match.Value}");
            if (heading.Length > 0)
                Assert.That(Headings(File.ReadAllText(file)), Does.Contain(heading), $"{page}: {match.Value}");
        }
    }

    private static IEnumerable<string> Headings(string text) => Regex.Matches(text, "^#+ (?<title>.+)$", RegexOptions.Multiline)
        .Select(static match => Regex.Replace(match.Groups["title"].Value.Trim().ToLowerInvariant(), @"[^\w\- ]", "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\((?<path>[^)#:\s]*)(?:#(?<heading>[^)]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fences();
}
