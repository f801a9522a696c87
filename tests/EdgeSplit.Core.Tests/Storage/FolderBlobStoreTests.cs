using EdgeSplit.Storage;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Tests.Storage;

public sealed class FolderBlobStoreTests : BlobStoreConformance
{
    private readonly TemporaryFolder _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    protected override IBlobStore CreateStore() => new FolderBlobStore(_folder["blobs"]);

    [Test]
    public async Task Open_deletes_what_a_dead_writer_left_and_nothing_of_a_living_one()
    {
        var store = new FolderBlobStore(_folder["blobs"]);
        byte[] content = new byte[100_000];
        var blob = new BlobReference(ContentHash.Of(content), content.Length);
        File.WriteAllBytes(Path.Combine(store.Folder, $"{blob.Hash}.0123.tmp"), [1, 2, 3]);

        var slow = new StalledStream(content);
        Task adding = store.AddAsync(blob, slow, default).AsTask();
        await slow.Reached;
        Assert.That(Directory.GetFiles(store.Folder), Has.Length.EqualTo(2));
        var second = new FolderBlobStore(store.Folder);
        Assert.That(Directory.GetFiles(store.Folder), Has.Length.EqualTo(1));
        Assert.That(second.Contains(blob), Is.False);
        slow.Continue();
        await adding;
        Assert.That(second.Contains(blob), Is.True);
        Assert.That(Directory.GetFiles(store.Folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void Contains_of_a_file_of_another_length_is_false()
    {
        var store = new FolderBlobStore(_folder["blobs"]);
        ContentHash hash = ContentHash.Of("content"u8);
        File.WriteAllBytes(Path.Combine(store.Folder, hash.ToString()), "cont"u8);
        Assert.That(store.Contains(new BlobReference(hash, 7)), Is.False);
    }

    [Test]
    public async Task Add_over_a_file_of_another_length_replaces_it()
    {
        var store = new FolderBlobStore(_folder["blobs"]);
        ContentHash hash = ContentHash.Of("content"u8);
        string path = Path.Combine(store.Folder, hash.ToString());
        File.WriteAllBytes(path, "cont"u8);
        await store.AddAsync(new BlobReference(hash, 7), new MemoryStream("content"u8.ToArray()), default);
        Assert.That(File.ReadAllText(path), Is.EqualTo("content"));
    }

    [Test]
    public async Task Add_to_a_full_disk_says_so()
    {
        // A disk cannot be filled here; what the system says of a full one is said by the source instead.
        var store = new FolderBlobStore(_folder["blobs"]);
        var blob = new BlobReference(ContentHash.Of("content"u8), 7);
        var full = new ThrowingStream(new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28));
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.ResourceExhausted, () => store.AddAsync(blob, full, default).AsTask());
        Assert.That(exception.IsTransient, Is.True);
        Assert.That(Directory.GetFiles(store.Folder), Is.Empty);
    }

    private sealed class StalledStream(byte[] content) : MemoryStream(content)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _continue = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public void Continue() => _continue.SetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _reached.TrySetResult();
            await _continue.Task;
            return Read(buffer.Span);
        }
    }

    private sealed class ThrowingStream(Exception exception) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromException<int>(exception);
    }
}
