using System.Buffers;
using System.Security.Cryptography;

namespace EdgeSplit.Storage.Internal;

/// <summary>
/// What has come so far of a blob whose transfer may break off: a file beside the blob's own, locked while it is open. What it
/// holds is hashed again before more is added to it, so that nothing that was damaged in between gets the blob's name.
/// </summary>
internal sealed class PartialFile : IAsyncDisposable
{
    private const string Suffix = ".part";
    private const int BufferBytes = 256 << 10;
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    private readonly string _path;
    private readonly FileStream _file;

    private PartialFile(string path, FileStream file) => (_path, _file) = (path, file);

    private string PartPath => _path + Suffix;

    /// <summary>Opens what there is of a file, or begins it; null where someone else has it open.</summary>
    public static PartialFile? TryOpen(string path)
    {
        try
        {
            // Sharing only deletion lets us rename the open file, also on Windows.
            return new PartialFile(path, new FileStream(path + Suffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous));
        }
        catch (IOException exception) when (AtomicFile.IsHeldByAnother(exception))
        {
            return null;
        }
    }

    /// <summary>Deletes parts that nobody has gone on with for a day.</summary>
    public static void DeleteForgotten(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Suffix))
        {
            try
            {
                if (DateTime.UtcNow - File.GetLastWriteTimeUtc(path) > Forgotten)
                    File.Delete(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Someone goes on with it now.
            }
        }
    }

    /// <summary>Gets what is missing, checks the whole, and gives it its name.</summary>
    /// <returns>The bytes that were taken from the source.</returns>
    public async ValueTask<long> CompleteAsync(BlobReference blob, IBlobSource source, bool isDurable, CancellationToken cancellationToken)
    {
        bool isContinued = _file.Length > 0;
        long received;
        try
        {
            received = await ReceiveAsync(blob, source, cancellationToken).ConfigureAwait(false);
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.IntegrityFailure)
        {
            _file.SetLength(0);
            if (!isContinued)
                throw;
            // What was kept may have been damaged, as by a loss of power; the source gets one more chance.
            received = await ReceiveAsync(blob, source, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception) when (AtomicFile.IsDiskFull(exception))
        {
            throw new EdgeSplitException(EdgeSplitError.ResourceExhausted, $"The disk is full: '{_path}' could not be written. Free some space and try again.", exception);
        }
        if (isDurable)
            _file.Flush(flushToDisk: true);
        try
        {
            File.Move(PartPath, _path, overwrite: true);
        }
        catch (FileNotFoundException) when (File.Exists(_path))
        {
            // Someone else gave it its name after we had opened it and before they let go of the lock; it is the same file.
            return received;
        }
        if (isDurable)
            AtomicFile.FlushFolder(Path.GetDirectoryName(_path)!);
        return received;
    }

    public async ValueTask DisposeAsync()
    {
        if (_file.Length == 0)
            File.Delete(PartPath);
        await _file.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<long> ReceiveAsync(BlobReference blob, IBlobSource source, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            if (_file.Length > blob.ByteCount)
                _file.SetLength(0);
            _file.Position = 0;
            int read;
            while ((read = await _file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                hash.AppendData(buffer, 0, read);
            long offset = _file.Position, total = offset;
            if (offset < blob.ByteCount || blob.ByteCount == 0)
            {
                Stream content = offset == 0
                    ? await source.OpenBlobAsync(blob.Hash, cancellationToken).ConfigureAwait(false)
                    : await source.OpenBlobFromAsync(blob.Hash, offset, cancellationToken).ConfigureAwait(false);
                await using (content.ConfigureAwait(false))
                {
                    while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                    {
                        total += read;
                        if (total > blob.ByteCount)
                            throw FolderBlobStore.Mismatch(blob, "is longer");
                        hash.AppendData(buffer, 0, read);
                        await _file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                    }
                }
            }
            if (total != blob.ByteCount)
                throw FolderBlobStore.Mismatch(blob, $"has only {total} bytes");
            if (new ContentHash(hash.GetHashAndReset()) != blob.Hash)
                throw FolderBlobStore.Mismatch(blob, "has another hash");
            return total - offset;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
