namespace EdgeSplit.Docs.Tests;

/// <summary>The pages that users read.</summary>
internal static class Pages
{
    public static string Root { get; } = FindRoot();

    /// <summary>Paths, from the root, of the README, the documentation and the samples' READMEs.</summary>
    public static IEnumerable<string> All { get; } =
    [
        "README.md",
        .. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md").Select(static file => $"docs/{Path.GetFileName(file)}").Order(),
        .. Directory.GetFiles(Path.Combine(Root, "samples"), "README.md", SearchOption.AllDirectories).Select(static file => Path.GetRelativePath(Root, file).Replace('\\', '/')).Order(),
    ];

    public static string Read(string page) => File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n");

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EdgeSplit.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("The tests do not run from below the project's root.");
    }
}
