using System.Collections.Immutable;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Storage;

/// <summary>
/// A blob store in a folder of limited size: what was used least recently makes room for what comes. Blobs in use are never
/// removed; where they alone are more than the limit, it is exceeded until they are let go.
/// </summary>
/// <remarks>
/// One process at a time may use a folder so, as it knows only what it uses itself; it locks a file beside the folder. Blobs and their order of use outlive the
/// process, however it ends.
/// </remarks>
public sealed class BlobCache : IBlobStore, IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly FolderBlobStore _store;
    private readonly FileStream _lock;
    private readonly Lock _entriesLock = new();
    private readonly Dictionary<ContentHash, Entry> _entries = [];
    private long _usedBytes;
    private long _uses;

    /// <summary>Opens the cache in a folder, which is created where it does not exist, and removes what is above the limit.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="limitBytes">The bytes that blobs may take, 1 or more.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: another process uses the folder.</exception>
    public BlobCache(string folder, long limitBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limitBytes, 1);
        LimitBytes = limitBytes;
        _store = new FolderBlobStore(folder);
        try
        {
            _lock = new FileStream(_store.Folder + LockSuffix, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException exception) when (AtomicFile.IsHeldByAnother(exception))
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"Another process keeps a cache of limited size in '{_store.Folder}'. Give each agent a folder of its own, or no limit.", exception);
        }
        foreach ((ContentHash hash, (long byteCount, DateTime _)) in _store.List()
            .Select(hash => (hash, Found: _store.Find(hash))).Where(static entry => entry.Found is not null)
            .Select(static entry => (entry.hash, Found: entry.Found!.Value)).OrderBy(static entry => entry.Found.LastUsed))
        {
            _entries[hash] = new Entry { ByteCount = byteCount, LastUse = ++_uses };
            _usedBytes += byteCount;
        }
        lock (_entriesLock)
            MakeRoom(0);
    }

    /// <summary>The bytes that blobs may take.</summary>
    public long LimitBytes { get; }

    /// <summary>The bytes that blobs take.</summary>
    public long UsedBytes => Interlocked.Read(ref _usedBytes);

    /// <inheritdoc/>
    public string Folder => _store.Folder;

    /// <inheritdoc/>
    public bool Contains(BlobReference blob) => _store.Contains(blob);

    /// <inheritdoc/>
    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) => _store.OpenBlobAsync(hash, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask AddAsync(BlobReference blob, Stream content, CancellationToken cancellationToken)
    {
        using IDisposable hold = Hold([blob]);
        lock (_entriesLock)
            MakeRoom(MissingBytes(blob));
        await _store.AddAsync(blob, content, cancellationToken).ConfigureAwait(false);
        Count(blob);
    }

    /// <inheritdoc/>
    public async ValueTask<long> FetchAsync(BlobReference blob, IBlobSource source, CancellationToken cancellationToken)
    {
        using IDisposable hold = Hold([blob]);
        lock (_entriesLock)
            MakeRoom(MissingBytes(blob));
        long received = await _store.FetchAsync(blob, source, cancellationToken).ConfigureAwait(false);
        Count(blob);
        return received;
    }

    /// <inheritdoc/>
    public IDisposable Hold(IEnumerable<BlobReference> blobs)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        ImmutableArray<ContentHash> hashes = [.. blobs.Select(static blob => blob.Hash).Distinct()];
        lock (_entriesLock)
        {
            foreach (ContentHash hash in hashes)
            {
                if (!_entries.TryGetValue(hash, out Entry? entry))
                    _entries.Add(hash, entry = new Entry());
                entry.Holds++;
                Use(hash, entry);
            }
        }
        return new Held(this, hashes);
    }

    /// <summary>Lets another process use the folder. What is in it stays.</summary>
    public void Dispose() => _lock.Dispose();

    private long MissingBytes(BlobReference blob) => _entries[blob.Hash].ByteCount > 0 ? 0 : blob.ByteCount;

    private void Count(BlobReference blob)
    {
        lock (_entriesLock)
        {
            Entry entry = _entries[blob.Hash];
            Interlocked.Add(ref _usedBytes, blob.ByteCount - entry.ByteCount);
            entry.ByteCount = blob.ByteCount;
        }
    }

    private void Use(ContentHash hash, Entry entry)
    {
        entry.LastUse = ++_uses;
        if (entry.ByteCount > 0)
            _store.Touch(hash);
    }

    private void Release(ImmutableArray<ContentHash> hashes)
    {
        lock (_entriesLock)
        {
            foreach (ContentHash hash in hashes)
            {
                Entry entry = _entries[hash];
                entry.Holds--;
                Use(hash, entry);
                if (entry is { Holds: 0, ByteCount: 0 })
                    _entries.Remove(hash);
            }
            MakeRoom(0);
        }
    }

    /// <summary>Removes what was used least recently, and is not in use, until there is room for more bytes.</summary>
    private void MakeRoom(long moreBytes)
    {
        if (_usedBytes + moreBytes <= LimitBytes)
            return;
        foreach ((ContentHash hash, Entry entry) in _entries.Where(static pair => pair.Value is { Holds: 0, ByteCount: > 0 }).OrderBy(static pair => pair.Value.LastUse).ToArray())
        {
            _store.Remove(hash);
            _entries.Remove(hash);
            if (Interlocked.Add(ref _usedBytes, -entry.ByteCount) + moreBytes <= LimitBytes)
                return;
        }
    }

    private sealed class Entry
    {
        /// <summary>0 while the blob is not there yet.</summary>
        public long ByteCount { get; set; }

        public int Holds { get; set; }

        public long LastUse { get; set; }
    }

    private sealed class Held(BlobCache cache, ImmutableArray<ContentHash> hashes) : IDisposable
    {
        private int _isReleased;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReleased, 1) == 0)
                cache.Release(hashes);
        }
    }
}
