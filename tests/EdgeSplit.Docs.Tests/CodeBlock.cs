using System.Text.RegularExpressions;

namespace EdgeSplit.Docs.Tests;

/// <summary>
/// A fenced block of a page. HTML comments right before it say how a test runs it: <c>before</c> and <c>after</c> hold code that
/// readers do not see, <c>not run: REASON</c> says why it is only compiled.
/// </summary>
internal sealed partial record CodeBlock(string Page, int Line, string Language, string Code, string Before, string After, string? NotRun)
{
    public static IEnumerable<CodeBlock> ReadAll(params string[] languages)
    {
        foreach (string page in Pages.All)
        {
            string text = Pages.Read(page);
            foreach (Match match in Fence().Matches(text))
            {
                if (!languages.Contains(match.Groups["language"].Value))
                    continue;
                string[] comments = [.. match.Groups["comment"].Captures.Select(static capture => capture.Value.Trim())];
                string Said(string what) => string.Join('\n', comments.Where(comment => comment.StartsWith(what, StringComparison.Ordinal)).Select(comment => comment[what.Length..]));
                string notRun = Said("not run:").Trim();
                yield return new CodeBlock(
                    page, text[..match.Groups["code"].Index].Count(static letter => letter == '\n'), match.Groups["language"].Value,
                    match.Groups["code"].Value, Said("before\n"), Said("after\n"), notRun.Length == 0 ? null : notRun);
            }
        }
    }

    public override string ToString() => $"{Page}:{Line}";

    [GeneratedRegex(@"(?:<!--(?<comment>(?:(?!-->).)*)-->\n\s*)*^```(?<language>\w+)[^\n]*\n(?<code>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();
}
