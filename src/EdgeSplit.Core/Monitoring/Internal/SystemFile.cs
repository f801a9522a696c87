using Microsoft.Win32.SafeHandles;

namespace EdgeSplit.Monitoring.Internal;

/// <summary>A file of <c>/proc</c> or <c>/sys</c> that is kept open: each read from its beginning gives what it says then.</summary>
internal sealed class SystemFile : IDisposable
{
    private readonly SystemFiles _files;
    private SafeFileHandle? _handle;

    public SystemFile(SystemFiles files, string path)
    {
        _files = files;
        try
        {
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What is not there reads as empty.
        }
    }

    /// <summary>Whether it was there and could be read so far.</summary>
    public bool IsReadable => _handle is not null;

    /// <summary>The text, or its first bytes where it is longer than the buffer, until the next read of any file.</summary>
    public ReadOnlySpan<byte> ReadStart() => _files.Buffer(0)[..Read(_files.Buffer(0), 0)];

    /// <summary>The whole text, until the next read of any file.</summary>
    public ReadOnlySpan<byte> ReadAll()
    {
        int length = 0;
        while (true)
        {
            Span<byte> buffer = _files.Buffer(length + 1);
            if (length == buffer.Length)
                return buffer;
            int read = Read(buffer[length..], length);
            if (read == 0)
                return buffer[..length];
            length += read;
            if (length == buffer.Length)
                _files.Buffer(2 * length);
        }
    }

    /// <summary>The number that is all that it says; null where it says something else.</summary>
    public double? Number() => SystemText.Number(ReadStart());

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private int Read(Span<byte> buffer, int offset)
    {
        if (_handle is null)
            return 0;
        try
        {
            return RandomAccess.Read(_handle, buffer, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Its device or group is gone, or its driver has nothing to say; it is looked for again with all others.
            Dispose();
            return 0;
        }
    }
}
