using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Storage;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>
/// Writes a partition as an ONNX file that any runtime can load. Weights are copied from their source in small pieces, so
/// memory holds no more than the skeleton.
/// </summary>
public static class PartitionWriter
{
    /// <summary>Protocol-buffer readers refuse messages of 2 GiB.</summary>
    private const long MaxFileBytes = int.MaxValue;

    /// <summary>External data start at multiples of this, so that a runtime can map them in place.</summary>
    private const long AlignmentBytes = 4096;

    /// <summary>
    /// Writes <paramref name="path"/> with the weights inside; or, where that would take 2 GiB or when asked to, with the
    /// weights in one file <c>path.data</c> beside it. Files of these names are replaced, once the new ones are whole.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="blobs">Where its weights come from, such as the model that it was taken from.</param>
    /// <param name="path">The file to write, in a folder that exists.</param>
    /// <param name="externalData">Whether the weights go to a file of their own whatever the size.</param>
    /// <param name="cancellationToken">Stops the writing; nothing is left behind.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the source lacks a weight;
    /// <see cref="EdgeSplitError.IntegrityFailure"/>: a weight is not what its hash says;
    /// <see cref="EdgeSplitError.ResourceExhausted"/>: the files cannot be written.</exception>
    public static async Task WriteAsync(ModelPartition partition, IBlobSource blobs, string path, bool externalData = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partition);
        ArgumentNullException.ThrowIfNull(blobs);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var embedded = EmbeddedModel.Create(partition.Skeleton);
        try
        {
            if (externalData || embedded.ByteCount > MaxFileBytes)
                await WriteWithExternalDataAsync(partition, blobs, path, cancellationToken).ConfigureAwait(false);
            else
                await ReplaceAsync(path, stream => WriteEmbeddedAsync(embedded, blobs, stream, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EdgeSplitException(EdgeSplitError.ResourceExhausted, $"'{path}' cannot be written: {exception.Message}", exception);
        }
    }

    private static async Task WriteEmbeddedAsync(EmbeddedModel model, IBlobSource blobs, Stream output, CancellationToken cancellationToken)
    {
        foreach (EmbeddedModel.Piece piece in model.Pieces)
        {
            if (piece.Blob is { } blob)
                await BlobCopy.CopyAsync(blobs, blob, output, cancellationToken).ConfigureAwait(false);
            else
                await output.WriteAsync(piece.Bytes, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task WriteWithExternalDataAsync(ModelPartition partition, IBlobSource blobs, string path, CancellationToken cancellationToken)
    {
        string dataPath = path + ".data";
        var offsets = new Dictionary<ContentHash, long>();
        long end = 0;
        foreach (BlobReference blob in partition.Blobs)
        {
            offsets.Add(blob.Hash, end);
            end = (end + blob.ByteCount + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
        }
        ModelProto model = SkeletonReader.Parse(partition.Skeleton, path);
        foreach (TensorProto tensor in TensorProtos.All(model).Where(ExternalData.IsExternal))
        {
            if (ExternalData.TryRead(tensor, out ExternalData data) && ContentHash.TryParse(data.Location, out ContentHash hash))
                ExternalData.Write(tensor, Path.GetFileName(dataPath), offsets[hash], data.Length!.Value);
        }
        await ReplaceAsync(dataPath, async output =>
        {
            foreach (BlobReference blob in partition.Blobs)
            {
                output.Position = offsets[blob.Hash];
                await BlobCopy.CopyAsync(blobs, blob, output, cancellationToken).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        await ReplaceAsync(path, output => output.WriteAsync(model.ToByteArray(), cancellationToken).AsTask()).ConfigureAwait(false);
    }

    private static async Task ReplaceAsync(string path, Func<FileStream, Task> write)
    {
        string unfinished = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var output = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
                await write(output).ConfigureAwait(false);
            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }
}
