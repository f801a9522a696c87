using System.Collections.Concurrent;
using EdgeSplit.Tests;

namespace EdgeSplit.Onnx.Tests.Splitting;

/// <summary>
/// Every model of the test data, split in many ways. EDGESPLIT_SWEEP_SECONDS sets the time for each model: the default
/// samples, 100000 tries every cut.
/// </summary>
internal sealed class SweepTests
{
    private static readonly ConcurrentBag<SweepResult> Results = [];

    /// <summary>The models that cannot run, by name; the file says why.</summary>
    private static readonly HashSet<string> Refused = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Splitting", "refused.tsv"))
        .Where(static line => !line.StartsWith('#')).Select(static line => line.Split('\t')[0])];

    private static double SecondsPerModel =>
        double.TryParse(Environment.GetEnvironmentVariable("EDGESPLIT_SWEEP_SECONDS"), out double seconds) ? seconds : 1;

    internal static IEnumerable<string> Models()
    {
        if (!TestData.IsPresent)
            return ["none"];
        return Directory.EnumerateFiles(TestData.Require("models"), "model.onnx", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(TestData.Require("backend"), "model.onnx", SearchOption.AllDirectories))
            .Select(static path => Path.GetRelativePath(TestData.Require(), Path.GetDirectoryName(path)!)).Order(StringComparer.Ordinal);
    }

    [TestCaseSource(nameof(Models))]
    public void Parts_of_any_model_equal_the_whole(string name)
    {
        string folder = TestData.Require(name);
        using var temporary = new TemporaryFolder();
        string path = Locate(name, temporary);
        string data = Path.Combine(folder, "test_data_set_0");
        bool isThorough = SecondsPerModel > 100;
        SweepResult result = ModelSweep.Run(path, name, isThorough ? int.MaxValue : 20, isThorough ? 12 : 3,
            TimeSpan.FromSeconds(SecondsPerModel), SweepInputs.For(Path.GetFileName(name), Directory.Exists(data) ? data : null));
        Results.Add(result);
        Assert.That(result.Failures, Is.Empty);
        Assert.That(result.Refusal is not null, Is.EqualTo(Refused.Contains(name)), $"refused.tsv disagrees: {result.Refusal ?? "the model runs"}");
    }

    /// <summary>The file of one of the <see cref="Models"/>; of those without weights, one with weights in a temporary folder.</summary>
    internal static string Locate(string name, TemporaryFolder temporary)
    {
        string path = Path.Combine(TestData.Require(name), "model.onnx");
        if (!Path.GetFileName(name).StartsWith("light-", StringComparison.Ordinal))
            return path;
        LightModels.Write(path, temporary["model.onnx"]);
        return temporary["model.onnx"];
    }

    [OneTimeTearDown]
    public static void Print()
    {
        TestContext.Progress.WriteLine($"models {Results.Count}, refused {Results.Count(static result => result.Refusal is not null)}, "
            + $"splits {Results.Sum(static result => result.Cuts)}, exact {Results.Sum(static result => result.Exact)}");
        if (Environment.GetEnvironmentVariable("EDGESPLIT_SWEEP_TABLE") is { } table)
        {
            File.WriteAllLines(table, Results.OrderBy(static result => result.Model, StringComparer.Ordinal).Select(static result =>
                $"{result.Model}\t{result.Layers}\t{result.Cuts}\t{result.Exact}\t{result.Refusal?.ReplaceLineEndings(" ")}\t{string.Join(" | ", result.Failures).ReplaceLineEndings(" ")}"));
        }
    }
}
