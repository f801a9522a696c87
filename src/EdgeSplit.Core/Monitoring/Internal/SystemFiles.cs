namespace EdgeSplit.Monitoring.Internal;

/// <summary>Finds and opens the small text files of <c>/proc</c> and <c>/sys</c>. Not thread-safe: the files that it opens share a buffer.</summary>
/// <param name="root">The folder that stands for <c>/</c>.</param>
internal sealed class SystemFiles(string root) : IDisposable
{
    private const int MostBytes = 1 << 20;
    private readonly List<SystemFile> _opened = [];
    private byte[] _buffer = new byte[4096];

    /// <summary>Opens a file, to be read again and again until this is disposed of; one that is not there or not readable reads as empty.</summary>
    public SystemFile Open(string path)
    {
        var file = new SystemFile(this, PathOf(path));
        _opened.Add(file);
        return file;
    }

    /// <summary>Reads a file once.</summary>
    /// <returns>Its text, until the next read.</returns>
    public ReadOnlySpan<byte> Read(string path)
    {
        using var file = new SystemFile(this, PathOf(path));
        return file.ReadAll();
    }

    /// <summary>The paths of what is in a folder and whose names begin in some way, as given to the other methods.</summary>
    public string[] Entries(string folder, string prefix)
    {
        try
        {
            return [.. Directory.GetFileSystemEntries(PathOf(folder), prefix + "*").Select(path => $"{folder}/{Path.GetFileName(path)}").Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public bool Exists(string path) => Path.Exists(PathOf(path));

    /// <summary>Closes all that was opened.</summary>
    public void Dispose()
    {
        foreach (SystemFile file in _opened)
            file.Dispose();
        _opened.Clear();
    }

    /// <summary>The buffer that reads fill.</summary>
    /// <param name="byteCount">How large it is at least, as far as it may become so.</param>
    internal Span<byte> Buffer(int byteCount)
    {
        if (byteCount > _buffer.Length && _buffer.Length < MostBytes)
            Array.Resize(ref _buffer, Math.Min(byteCount, MostBytes));
        return _buffer;
    }

    private string PathOf(string path) => Path.Combine(root, path.TrimStart('/'));
}
