namespace EdgeSplit.Tests;

/// <summary>
/// Finds the test data that is not part of the project: the folder that EDGESPLIT_TEST_DATA names, or
/// <c>shared</c> beside the project's root. Tests that need it are skipped where it is missing.
/// </summary>
internal static class TestData
{
    private static readonly string? Root = Find();

    /// <summary>The path of a file or folder of the test data; ends the test as ignored where there is none.</summary>
    public static string Require(params string[] parts)
    {
        if (Root is null)
            Assert.Ignore("The test data is missing: set EDGESPLIT_TEST_DATA, or put it at ../shared from the project's root.");
        return Path.Combine([Root!, .. parts]);
    }

    /// <summary>Whether the test data is there.</summary>
    public static bool IsPresent => Root is not null;

    private static string? Find()
    {
        string? configured = Environment.GetEnvironmentVariable("EDGESPLIT_TEST_DATA");
        if (configured is not null)
            return Directory.Exists(configured) ? configured : null;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EdgeSplit.sln")))
            {
                string beside = Path.Combine(folder.Parent?.FullName ?? "/", "shared");
                return File.Exists(Path.Combine(beside, "INDEX.tsv")) ? beside : null;
            }
        }
        return null;
    }
}
