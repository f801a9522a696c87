using System.Buffers;
using System.Security.Cryptography;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Storage;

/// <summary>A blob store in a folder: one file per blob, named by its hash.</summary>
/// <remarks>
/// Several processes may use one folder: a blob appears under its name only when it is whole, checked and on the disk.
/// Opening a store deletes what writers that died have left behind.
/// </remarks>
public sealed class FolderBlobStore : IBlobStore
{
    private const int CopyBufferBytes = 256 << 10;

    private readonly bool _isDurable;

    /// <summary>Opens the store in a folder, which is created where it does not exist.</summary>
    public FolderBlobStore(string folder)
        : this(folder, isDurable: true)
    {
    }

    /// <summary>Opens a store; one that is not durable spares the disk, for a folder that does not outlive the process.</summary>
    internal FolderBlobStore(string folder, bool isDurable)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _isDurable = isDurable;
        Folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(Folder);
        AtomicFile.DeleteLeftovers(Folder);
        PartialFile.DeleteForgotten(Folder);
    }

    /// <inheritdoc/>
    public string Folder { get; }

    /// <inheritdoc/>
    public bool Contains(BlobReference blob)
    {
        var file = new FileInfo(PathOf(blob.Hash));
        return file.Exists && file.Length == blob.ByteCount;
    }

    /// <inheritdoc/>
    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return new ValueTask<Stream>(new FileStream(
                PathOf(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"The blob {hash} is not in '{Folder}'.", exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask AddAsync(BlobReference blob, Stream content, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (Contains(blob))
            return;
        try
        {
            await AtomicFile.WriteAsync(PathOf(blob.Hash), (file, token) => CopyCheckedAsync(blob, content, file, token), _isDurable, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && Contains(blob))
        {
            // Someone else stored the same content and has it open, which on Windows forbids to replace it.
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> FetchAsync(BlobReference blob, IBlobSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (Contains(blob))
            return 0;
        PartialFile? part = PartialFile.TryOpen(PathOf(blob.Hash));
        if (part is null)
        {
            // Another process fetches the same blob into this folder.
            Stream content = await source.OpenBlobAsync(blob.Hash, cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
                await AddAsync(blob, content, cancellationToken).ConfigureAwait(false);
            return blob.ByteCount;
        }
        await using (part.ConfigureAwait(false))
            return await part.CompleteAsync(blob, source, _isDurable, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The bytes of a blob that is there, and when it was last used; null where it is not.</summary>
    internal (long ByteCount, DateTime LastUsed)? Find(ContentHash hash)
    {
        var file = new FileInfo(PathOf(hash));
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : null;
    }

    /// <summary>Notes that a blob is used now, as the time of its file, which outlives the process.</summary>
    internal void Touch(ContentHash hash)
    {
        try
        {
            File.SetLastWriteTimeUtc(PathOf(hash), DateTime.UtcNow);
        }
        catch (IOException)
        {
            // It is not there, or on Windows open in a way that forbids it; then it counts as older than it is.
        }
    }

    /// <summary>Removes a blob if it is there.</summary>
    internal void Remove(ContentHash hash) => File.Delete(PathOf(hash));

    /// <summary>The hashes of the blobs that are there.</summary>
    internal IEnumerable<ContentHash> List()
    {
        foreach (string path in Directory.EnumerateFiles(Folder))
        {
            if (ContentHash.TryParse(Path.GetFileName(path), out ContentHash hash))
                yield return hash;
        }
    }

    private string PathOf(ContentHash hash) => Path.Combine(Folder, hash.ToString());

    private static async ValueTask CopyCheckedAsync(BlobReference blob, Stream content, FileStream file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(blob.ByteCount, 4096, CopyBufferBytes));
        try
        {
            long total = 0;
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                total += read;
                if (total > blob.ByteCount)
                    throw Mismatch(blob, "is longer");
                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
            if (total != blob.ByteCount)
                throw Mismatch(blob, $"has only {total} bytes");
            if (new ContentHash(hash.GetHashAndReset()) != blob.Hash)
                throw Mismatch(blob, "has another hash");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal static EdgeSplitException Mismatch(BlobReference blob, string how) => new(
        EdgeSplitError.IntegrityFailure,
        $"The content received for blob {blob.Hash} of {blob.ByteCount} bytes {how}: it was damaged on its way or its source is wrong. Fetch it again.");
}
