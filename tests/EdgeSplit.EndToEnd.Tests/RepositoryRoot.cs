namespace EdgeSplit.EndToEnd.Tests;

/// <summary>Where the project's files are, seen from a test.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "EdgeSplit.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("The tests do not run from below the project's root.");
    }
}
