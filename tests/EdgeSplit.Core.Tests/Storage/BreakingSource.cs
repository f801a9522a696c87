using EdgeSplit.Storage;

namespace EdgeSplit.Tests.Storage;

/// <summary>Gives blobs from memory, notes from where on, and breaks off as a connection does.</summary>
internal sealed class BreakingSource(params byte[][] contents) : IBlobSource
{
    public BlobReference[] Blobs { get; } = [.. contents.Select(static content => new BlobReference(ContentHash.Of(content), content.Length))];

    public List<long> Offsets { get; } = [];

    /// <summary>The bytes of each opened blob after which reading fails.</summary>
    public int BreaksAfter { get; set; } = int.MaxValue;

    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) => OpenBlobFromAsync(hash, 0, cancellationToken);

    public ValueTask<Stream> OpenBlobFromAsync(ContentHash hash, long offset, CancellationToken cancellationToken)
    {
        Offsets.Add(offset);
        byte[] content = contents[Array.FindIndex(Blobs, blob => blob.Hash == hash)];
        return new ValueTask<Stream>(new Breaking(content[(int)offset..], BreaksAfter));
    }

    private sealed class Breaking(byte[] content, int breaksAfter) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int left = (int)Math.Min(breaksAfter - Position, buffer.Length);
            return left > 0 || Position == Length ? base.ReadAsync(buffer[..left], cancellationToken) : throw new IOException("The connection broke.");
        }
    }
}
