using System.Text.RegularExpressions;

namespace EdgeSplit.Docs.Tests;

/// <summary>The list of errors is complete.</summary>
internal sealed class DiagnosticsTests
{
    [Test]
    public void Diagnostics_nameEveryErrorWithItsNumberAndWhetherToTryAgain()
    {
        string[] told = [.. Regex.Matches(Pages.Read("docs/diagnostics.md"), @"^### (?<name>\w+) \((?<number>\d+)(?<transient>, transient)?\)$", RegexOptions.Multiline)
            .Select(static match => $"{match.Groups["name"]} {match.Groups["number"]} {match.Groups["transient"].Success}")];
        Assert.That(told, Is.EqualTo(Enum.GetValues<EdgeSplitError>().Select(static error => $"{error} {(int)error} {new EdgeSplitException(error, "").IsTransient}")));
    }
}
