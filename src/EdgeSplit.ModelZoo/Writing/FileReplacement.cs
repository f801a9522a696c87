namespace EdgeSplit.ModelZoo.Writing;

/// <summary>A file written under a temporary name beside its own, so that under its own name it is never seen half written.</summary>
internal sealed class FileReplacement : IDisposable
{
    private readonly string _path;
    private readonly string _temporaryPath;

    /// <summary>Creates the temporary file and sets <paramref name="byteCount"/> bytes aside for it, so that a full disk shows before the work is done.</summary>
    public FileReplacement(string path, long byteCount)
    {
        _path = path;
        _temporaryPath = $"{path}.{Guid.NewGuid():N}.tmp";
        Stream = new FileStream(_temporaryPath, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            PreallocationSize = byteCount,
        });
    }

    /// <summary>Where to write.</summary>
    public FileStream Stream { get; }

    /// <summary>Gives the file its name, in place of any file that had it.</summary>
    public void Complete()
    {
        Stream.Dispose();
        File.Move(_temporaryPath, _path, overwrite: true);
    }

    /// <summary>Deletes the temporary file, if it was not completed.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        File.Delete(_temporaryPath);
    }
}
