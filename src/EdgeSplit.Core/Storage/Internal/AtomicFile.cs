using System.Runtime.InteropServices;

namespace EdgeSplit.Storage.Internal;

/// <summary>
/// Files that are there whole or not at all: written under a temporary name in the same folder, flushed to the disk, renamed.
/// A temporary file stays open, and with that locked, until it has its final name; so one that can be locked is a dead writer's.
/// </summary>
internal static partial class AtomicFile
{
    private const string TemporarySuffix = ".tmp";
    private const int CreationAttempts = 5;

    /// <summary>Writes a file; on failure the file keeps its old content, if any.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="isDurable">Whether the file must survive a loss of power from the moment that the task completes.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    public static async ValueTask WriteAsync(
        string path, Func<FileStream, CancellationToken, ValueTask> write, bool isDurable, CancellationToken cancellationToken)
    {
        string temporary = "";
        try
        {
            FileStream stream = CreateTemporary(path, out temporary);
            await using (stream.ConfigureAwait(false))
            {
                await write(stream, cancellationToken).ConfigureAwait(false);
                if (isDurable)
                    stream.Flush(flushToDisk: true);
                File.Move(temporary, path, overwrite: true);
            }
            if (isDurable)
                FlushFolder(Path.GetDirectoryName(path)!);
        }
        catch (Exception exception)
        {
            if (temporary.Length > 0)
                File.Delete(temporary);
            if (exception is IOException io && IsDiskFull(io))
                throw new EdgeSplitException(EdgeSplitError.ResourceExhausted, $"The disk is full: '{path}' could not be written. Free some space and try again.", exception);
            throw;
        }
    }

    /// <summary>Writes a durable file of some bytes.</summary>
    public static ValueTask WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        WriteAsync(path, (stream, token) => stream.WriteAsync(content, token), isDurable: true, cancellationToken);

    /// <summary>Deletes the temporary files in a folder whose writers are gone.</summary>
    public static void DeleteLeftovers(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder, "*" + TemporarySuffix))
        {
            try
            {
                using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                    File.Delete(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Its writer lives, or another process cleans up at this moment.
            }
        }
    }

    /// <summary>Makes renames and deletions in a folder survive a loss of power.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = OpenReadOnly(folder, 0);
        if (descriptor < 0)
            return;
        _ = FlushToDisk(descriptor);
        _ = CloseDescriptor(descriptor);
    }

    private static FileStream CreateTemporary(string path, out string temporary)
    {
        for (int attempt = 1; ; attempt++)
        {
            temporary = $"{path}.{Guid.NewGuid():N}{TemporarySuffix}";
            try
            {
                // Sharing only deletion lets us rename the open file, also on Windows, and keeps DeleteLeftovers away.
                return new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
            }
            catch (IOException exception) when (attempt < CreationAttempts && exception is not DirectoryNotFoundException && !IsDiskFull(exception))
            {
                // A cleaner locked the file between its creation and our lock, and deletes it.
            }
        }
    }

    /// <summary>Whether a file could not be opened because someone has it open who does not share it.</summary>
    public static bool IsHeldByAnother(IOException exception) => OperatingSystem.IsWindows()
        ? (exception.HResult & 0xFFFF) is 32 or 33 // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
        : exception.HResult is 11 or 35; // EWOULDBLOCK on Linux and on macOS

    public static bool IsDiskFull(IOException exception) => OperatingSystem.IsWindows()
        ? (exception.HResult & 0xFFFF) is 112 or 39 // ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL
        : exception.HResult is 28 or 122 or 69; // ENOSPC, EDQUOT on Linux, EDQUOT on macOS

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenReadOnly(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FlushToDisk(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);
}
