using Microsoft.Win32.SafeHandles;

namespace EdgeSplit.Onnx.Reading;

/// <summary>
/// A file that parts of a model are read from, by position: nothing stays in memory, and a file that shrinks while it
/// is open gives an error (a mapping of it would end the process).
/// </summary>
internal sealed class SourceFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    private SourceFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
    }

    public string Path { get; }

    public long Length { get; }

    public static SourceFile Open(string path)
    {
        try
        {
            return new SourceFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no file '{path}'.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"The file '{path}' cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads up to the length of <paramref name="destination"/>; 0 at the end of the file.</summary>
    public int Read(Span<byte> destination, long position)
    {
        try
        {
            return RandomAccess.Read(_handle, destination, position);
        }
        catch (IOException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"Reading '{Path}' failed: {exception.Message}", exception);
        }
    }

    public void Dispose() => _handle.Dispose();
}
