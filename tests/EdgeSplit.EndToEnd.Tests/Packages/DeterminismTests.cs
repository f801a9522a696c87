using System.IO.Compression;
using System.Reflection.Metadata;
using System.Security.Cryptography;
using System.Text;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Packages;

/// <summary>The same sources give the same packages wherever they lie, and say where their sources are.</summary>
[NonParallelizable]
internal sealed class DeterminismTests
{
    // Of SourceLink, in portable PDBs: https://github.com/dotnet/runtime/blob/main/docs/design/specs/PortablePdb-Metadata.md
    private static readonly Guid SourceLinkKind = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    [Test]
    public Task Pack_ofTheCoreInTwoFolders_givesTheSameBytes() => PackTwiceAsync("EdgeSplit.Core");

    [Test]
    [Explicit("It builds every library twice.")]
    public Task Pack_ofAllInTwoFolders_givesTheSameBytes() =>
        PackTwiceAsync("EdgeSplit.Core", "EdgeSplit.Grpc", "EdgeSplit.Hosting", "EdgeSplit.Onnx", "EdgeSplit.OrTools", "EdgeSplit.Transport");

    private static async Task PackTwiceAsync(params string[] libraries)
    {
        using TemporaryFolder one = new(), other = new();
        Dictionary<string, string>[] packed = await Task.WhenAll(
            PackAsync(Path.Combine(one.Path, "a"), libraries), PackAsync(Path.Combine(other.Path, "a", "longer", "path"), libraries));
        Assert.That(packed[0].Keys, Is.SupersetOf(libraries.SelectMany(static library => (string[])[$"{library}.nupkg: lib/net10.0/{library}.dll", $"{library}.nupkg: {library}.nuspec", $"{library}.snupkg: lib/net10.0/{library}.pdb"])));
        Assert.That(packed[1], Is.EquivalentTo(packed[0]));
    }

    /// <summary>Packs a copy of the sources, committed to a repository of a well-known address, and gives the hash of each file in the packages.</summary>
    private static async Task<Dictionary<string, string>> PackAsync(string folder, string[] libraries)
    {
        CopySources(folder);
        await GitAsync(folder, "init", "--quiet", "--initial-branch", "main");
        await GitAsync(folder, "remote", "add", "origin", "https://github.com/edgesplit/edgesplit.git");
        await GitAsync(folder, "add", "--all");
        await GitAsync(folder, "commit", "--quiet", "--message", "Sources");
        string feed = Path.Combine(folder, "feed");
        var hashes = new Dictionary<string, string>();
        foreach (string library in libraries)
        {
            // Analyzers say the same of the same sources.
            await RunAsync("dotnet", folder, "pack", Path.Combine("src", library), "-c", "Release", "-o", feed, "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-nodeReuse:false");
            foreach (string extension in (string[])["nupkg", "snupkg"])
            {
                using ZipArchive package = ZipFile.OpenRead(Directory.GetFiles(feed, $"{library}.*.{extension}").Single(file => Path.GetExtension(file) == $".{extension}"));
                foreach (ZipArchiveEntry entry in package.Entries.Where(static entry => !IsPackagingRecord(entry.FullName)))
                {
                    using Stream stream = entry.Open();
                    using var content = new MemoryStream();
                    await stream.CopyToAsync(content);
                    hashes.Add($"{library}.{extension}: {entry.FullName}", Convert.ToHexString(SHA256.HashData(content.ToArray())));
                    if (entry.FullName.EndsWith(".pdb", StringComparison.Ordinal))
                        Assert.That(SourceLinkOf(content.ToArray()), Does.Contain("https://raw.githubusercontent.com/edgesplit/edgesplit/"), library);
                }
            }
        }
        return hashes;
    }

    // NuGet names these by a number of its own for each package.
    private static bool IsPackagingRecord(string name) => name.EndsWith(".psmdcp", StringComparison.Ordinal) || name == "_rels/.rels";

    private static string SourceLinkOf(byte[] symbols)
    {
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
        MetadataReader reader = provider.GetMetadataReader();
        return string.Concat(reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == SourceLinkKind)
            .Select(information => Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value))));
    }

    private static void CopySources(string folder)
    {
        string root = RepositoryRoot.Path;
        IEnumerable<string> files = Directory.GetFiles(Path.Combine(root, "src"), "*", SearchOption.AllDirectories)
            .Where(static file => !file.Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj"))
            .Concat(Directory.GetFiles(root, "Directory.*"))
            .Concat(((string[])["README.md", "nuget.config", "global.json", ".editorconfig", ".gitignore", "docs/images/icon.png"]).Select(name => Path.Combine(root, name)));
        foreach (string file in files)
        {
            string copy = Path.Combine(folder, Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private static Task GitAsync(string folder, params string[] arguments) => RunAsync("git", folder, arguments);

    private static async Task RunAsync(string program, string folder, params string[] arguments)
    {
        // The same author and time give the same commit, which the packages name.
        var environment = new Dictionary<string, string>
        {
            ["GIT_AUTHOR_NAME"] = "Test",
            ["GIT_AUTHOR_EMAIL"] = "test@localhost",
            ["GIT_AUTHOR_DATE"] = "2026-01-01T00:00:00Z",
            ["GIT_COMMITTER_NAME"] = "Test",
            ["GIT_COMMITTER_EMAIL"] = "test@localhost",
            ["GIT_COMMITTER_DATE"] = "2026-01-01T00:00:00Z",
            ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        };
        await using DotnetProcess process = DotnetProcess.StartProgram(program, arguments, folder, environment);
        DotnetProcess.Outcome outcome = await process.WaitForExitAsync(TimeSpan.FromMinutes(9));
        Assert.That(outcome.ExitCode, Is.Zero, $"{program} {string.Join(' ', arguments)}\n{outcome.Output}\n{outcome.Error}");
    }
}
