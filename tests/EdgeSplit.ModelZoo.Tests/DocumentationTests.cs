using EdgeSplit.Tensors;

namespace EdgeSplit.ModelZoo.Tests;

public sealed class DocumentationTests
{
    [Test]
    public void Page_tableOfModels_saysWhatTheZooHas()
    {
        Dictionary<string, string> rows = File.ReadLines(PagePath())
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
            .ToDictionary(static line => line.Split('`')[1]);
        Assert.That(rows.Keys, Is.EqualTo(Zoo.Entries.Select(static entry => entry.Name)));
        foreach (ZooEntry entry in Zoo.Entries)
        {
            Assert.That(rows[entry.Name], Does.Contain($"| {entry.ParameterCount:N0} |"));
            foreach (TensorInfo info in entry.Inputs.Concat(entry.Outputs))
                Assert.That(rows[entry.Name], Does.Contain($"`[{string.Join(", ", info.Dimensions)}]`"), info.Name);
        }
    }

    private static string PagePath()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeSplit.sln")))
            folder = folder.Parent;
        return Path.Combine(folder!.FullName, "docs", "model-zoo.md");
    }
}
