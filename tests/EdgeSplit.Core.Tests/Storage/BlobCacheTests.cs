using EdgeSplit.Storage;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Tests.Storage;

public sealed class BlobCacheTests : BlobStoreConformance
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<BlobCache> _caches = [];

    [TearDown]
    public void DeleteFolder()
    {
        foreach (BlobCache cache in _caches)
            cache.Dispose();
        _folder.Dispose();
    }

    protected override IBlobStore CreateStore() => Open(1 << 30);

    [Test]
    public async Task FetchAsync_aboveTheLimit_removesWhatWasUsedLeastRecently()
    {
        BlobCache cache = Open(250);
        var source = new BreakingSource(Content(1), Content(2), Content(3));
        await cache.FetchAsync(source.Blobs[0], source, default);
        await cache.FetchAsync(source.Blobs[1], source, default);
        cache.Hold([source.Blobs[0]]).Dispose();
        await cache.FetchAsync(source.Blobs[2], source, default);

        Assert.That(source.Blobs.Select(cache.Contains), Is.EqualTo(new[] { true, false, true }));
        Assert.That(cache.UsedBytes, Is.EqualTo(200));
    }

    [Test]
    public async Task FetchAsync_allIsInUse_exceedsTheLimitUntilItIsReleased()
    {
        BlobCache cache = Open(150);
        var source = new BreakingSource(Content(1), Content(2));
        IDisposable first = cache.Hold([source.Blobs[0]]), second = cache.Hold([source.Blobs[1]]);
        await cache.FetchAsync(source.Blobs[0], source, default);
        await cache.FetchAsync(source.Blobs[1], source, default);
        Assert.That(source.Blobs.Select(cache.Contains), Is.All.True);

        first.Dispose();
        Assert.That(source.Blobs.Select(cache.Contains), Is.EqualTo(new[] { false, true }));
        second.Dispose();
        Assert.That(cache.Contains(source.Blobs[1]), Is.True);
    }

    [Test]
    public async Task Open_withALowerLimit_keepsWhatWasUsedLast()
    {
        var source = new BreakingSource(Content(1), Content(2));
        BlobCache cache = Open(1000);
        foreach (BlobReference blob in source.Blobs)
            await cache.FetchAsync(blob, source, default);
        cache.Dispose();
        File.SetLastWriteTimeUtc(Path.Combine(cache.Folder, source.Blobs[1].Hash.ToString()), DateTime.UtcNow.AddDays(-1));

        BlobCache again = Open(100);
        Assert.That(source.Blobs.Select(again.Contains), Is.EqualTo(new[] { true, false }));
    }

    [Test]
    public void Open_folderThatAnotherUses_saysSo()
    {
        Open(100);
        EdgeSplitException? e = Assert.Throws<EdgeSplitException>(() => Open(100));
        Assert.That(e!.Error, Is.EqualTo(EdgeSplitError.InvalidArgument));
    }

    [Test]
    public async Task FetchAsync_brokenOff_goesOnWhereItBroke()
    {
        var source = new BreakingSource(Content(1)) { BreaksAfter = 60 };
        BlobReference blob = source.Blobs[0];
        BlobCache cache = Open(1000);
        await Assert.ThrowsAsync<IOException>(async () => await cache.FetchAsync(blob, source, default));
        Assert.That(cache.Contains(blob), Is.False);
        cache.Dispose();

        source.BreaksAfter = int.MaxValue;
        long received = await Open(1000).FetchAsync(blob, source, default);

        Assert.That(source.Offsets, Is.EqualTo(new[] { 0, 60 }));
        Assert.That(received, Is.EqualTo(40));
        Assert.That(File.ReadAllBytes(Path.Combine(cache.Folder, blob.Hash.ToString())), Is.EqualTo(Content(1)));
    }

    [Test]
    public async Task FetchAsync_whatWasKeptIsDamaged_beginsAnew()
    {
        var source = new BreakingSource(Content(1));
        BlobReference blob = source.Blobs[0];
        BlobCache cache = Open(1000);
        File.WriteAllBytes(Path.Combine(cache.Folder, $"{blob.Hash}.part"), new byte[50]);

        await cache.FetchAsync(blob, source, default);

        Assert.That(source.Offsets, Is.EqualTo(new[] { 50, 0 }));
        Assert.That(File.ReadAllBytes(Path.Combine(cache.Folder, blob.Hash.ToString())), Is.EqualTo(Content(1)));
    }

    private BlobCache Open(long limitBytes)
    {
        var cache = new BlobCache(_folder["blobs"], limitBytes);
        _caches.Add(cache);
        return cache;
    }

    private static byte[] Content(byte seed) => [.. Enumerable.Range(0, 100).Select(index => (byte)(index * seed))];
}
