using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Reading;

/// <summary>The files that a model is made of: the model file, and external data files that must lie in its folder.</summary>
internal sealed class SourceFolder : IDisposable
{
    private const int MaxLinks = 40;
    private readonly ConcurrentDictionary<string, SourceFile> _files = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly string[] _allowedFolders;

    public SourceFolder(string modelPath)
    {
        string path = Path.GetFullPath(modelPath);
        ModelFile = SourceFile.Open(path);
        _folder = Path.GetDirectoryName(path)!;
        // A model that is a link (as in download caches) may have its data beside the link or beside the linked file.
        _allowedFolders = [RealPath(_folder), Path.GetDirectoryName(RealPath(path))!];
        _files[Path.GetFileName(path)] = ModelFile;
    }

    public SourceFile ModelFile { get; }

    /// <summary>The locations of the files besides the model file that were opened.</summary>
    public ImmutableArray<string> ExternalFiles => [.. _files.Where(file => file.Value != ModelFile).Select(static file => file.Key).Order(StringComparer.Ordinal)];

    public string ModelFileName => Path.GetFileName(ModelFile.Path);

    /// <summary>Opens the file that a tensor's external data name.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>: the location leaves the model's folder, or there is no such file.</exception>
    public SourceFile Open(string location, string tensor)
    {
        if (_files.TryGetValue(location, out SourceFile? known))
            return known;
        string? refusal = Refusal(location, out string path);
        if (refusal is not null)
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"Tensor '{tensor}' of '{ModelFile.Path}' has its data in '{location}', {refusal}.");
        SourceFile file = SourceFile.Open(path);
        SourceFile kept = _files.GetOrAdd(location, file);
        if (kept != file)
            file.Dispose();
        return kept;
    }

    public void Dispose()
    {
        foreach (SourceFile file in _files.Values)
            file.Dispose();
    }

    private string? Refusal(string location, out string path)
    {
        path = "";
        if (location.Contains('\0') || Path.IsPathRooted(location) || location.Contains(':'))
            return "which is not a path relative to the model's folder";
        if (location.Split('/', '\\').Contains(".."))
            return "which leads out of the model's folder";
        path = Path.Combine(_folder, location);
        if (!File.Exists(path))
            return $"but there is no such file in '{_folder}'";
        string real = RealPath(path);
        return _allowedFolders.Any(folder => real.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            ? null
            : "a link that leads out of the model's folder";
    }

    /// <summary>The path with every link on it followed.</summary>
    private static string RealPath(string path)
    {
        int links = 0;
        string root = Path.GetPathRoot(path)!;
        var pending = new Stack<string>(path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        string real = root;
        while (pending.TryPop(out string? segment))
        {
            if (segment == ".")
                continue;
            if (segment == "..")
            {
                real = Path.GetDirectoryName(real) ?? root;
                continue;
            }
            string next = Path.Combine(real, segment);
            string? target = new FileInfo(next).LinkTarget;
            if (target is null)
            {
                real = next;
                continue;
            }
            if (++links > MaxLinks)
                throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{path}' leads through more than {MaxLinks} links.");
            if (Path.IsPathRooted(target))
                real = root;
            foreach (string part in target.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
                pending.Push(part);
        }
        return real;
    }
}
