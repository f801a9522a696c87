using EdgeSplit.Storage;

namespace EdgeSplit.Testing.Conformance;

/// <summary>What every <see cref="IBlobStore"/> must do. A fixture inherits it and makes the store.</summary>
public abstract class BlobStoreConformance
{
    /// <summary>Makes an empty store.</summary>
    protected abstract IBlobStore CreateStore();

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(300_000)]
    [TestCase(3_000_001)]
    public async Task Add_then_open_gives_the_content(int byteCount)
    {
        IBlobStore store = CreateStore();
        (BlobReference blob, byte[] content) = Content(byteCount, byteCount);
        Assert.That(store.Contains(blob), Is.False);
        await store.AddAsync(blob, new MemoryStream(content), default);
        Assert.That(store.Contains(blob), Is.True);
        Assert.That((await ReadAsync(store, blob.Hash)).AsSpan().SequenceEqual(content));
        Assert.That((await File.ReadAllBytesAsync(Path.Combine(store.Folder, blob.Hash.ToString()))).AsSpan().SequenceEqual(content));
    }

    [Test]
    public async Task Add_of_content_that_is_there_reads_nothing()
    {
        IBlobStore store = CreateStore();
        (BlobReference blob, byte[] content) = Content(1, 100);
        await store.AddAsync(blob, new MemoryStream(content), default);
        var second = new MemoryStream(content);
        await store.AddAsync(blob, second, default);
        Assert.That(second.Position, Is.Zero);
    }

    [TestCase(-1, TestName = "Add_of_content_that_is_too_short_fails_and_leaves_nothing")]
    [TestCase(0, TestName = "Add_of_content_that_is_damaged_fails_and_leaves_nothing")]
    [TestCase(1, TestName = "Add_of_content_that_is_too_long_fails_and_leaves_nothing")]
    public async Task Add_of_wrong_content_fails_and_leaves_nothing(int lengthChange)
    {
        IBlobStore store = CreateStore();
        (BlobReference blob, byte[] content) = Content(2, 5000);
        byte[] wrong = new byte[content.Length + lengthChange];
        content.AsSpan(0, Math.Min(content.Length, wrong.Length)).CopyTo(wrong);
        if (lengthChange == 0)
            wrong[4999] ^= 0x40;
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.IntegrityFailure, () => store.AddAsync(blob, new MemoryStream(wrong), default).AsTask());
        Assert.That(exception.Message, Does.Contain(blob.Hash.ToString()));
        Assert.That(store.Contains(blob), Is.False);
        Assert.That(Directory.GetFiles(store.Folder), Is.Empty);
    }

    [Test]
    public async Task Add_cancelled_leaves_nothing()
    {
        IBlobStore store = CreateStore();
        (BlobReference blob, byte[] content) = Content(3, 5000);
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => store.AddAsync(blob, new MemoryStream(content), cancellation.Token).AsTask());
        Assert.That(Directory.GetFiles(store.Folder), Is.Empty);
    }

    [Test]
    public async Task Open_of_an_unknown_blob_fails()
    {
        IBlobStore store = CreateStore();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => store.OpenBlobAsync(ContentHash.Of("none"u8), default).AsTask());
    }

    [Test]
    public async Task Add_of_the_same_by_many_at_once_keeps_it_whole()
    {
        IBlobStore store = CreateStore();
        (BlobReference blob, byte[] content) = Content(4, 200_000);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => store.AddAsync(blob, new MemoryStream(content), default).AsTask())));
        Assert.That((await ReadAsync(store, blob.Hash)).AsSpan().SequenceEqual(content));
        Assert.That(Directory.GetFiles(store.Folder), Has.Length.EqualTo(1));
    }

    private static (BlobReference Blob, byte[] Content) Content(int seed, int byteCount)
    {
        byte[] content = new byte[byteCount];
        new Random(seed).NextBytes(content);
        return (new BlobReference(ContentHash.Of(content), byteCount), content);
    }

    private static async Task<byte[]> ReadAsync(IBlobSource source, ContentHash hash)
    {
        await using Stream stream = await source.OpenBlobAsync(hash, default);
        var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
