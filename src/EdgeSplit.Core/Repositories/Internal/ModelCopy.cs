using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Repositories.Internal;

/// <summary>The files of a model outside the repository, by their paths relative to its folder.</summary>
internal sealed class ModelCopy
{
    private const int BufferBytes = 1 << 20;
    private readonly ImmutableSortedDictionary<string, string> _sources;

    /// <summary>Finds the files.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/> or <see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    public ModelCopy(string path, IEnumerable<string> externalFiles)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full)!;
        File = Path.GetFileName(full);
        ImmutableSortedDictionary<string, string>.Builder sources = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        sources[File] = full;
        foreach (string external in externalFiles)
            sources[external] = RepositoryLayout.Inside(folder, external);
        _sources = sources.ToImmutable();
        foreach ((string name, string source) in _sources)
        {
            if (!System.IO.File.Exists(source))
                throw new EdgeSplitException(EdgeSplitError.NotFound, name == File ? $"There is no model file '{path}'." : $"The model '{path}' refers to '{name}', which is not there.");
        }
    }

    /// <summary>The name of the model file.</summary>
    public string File { get; }

    /// <summary>The hash of each file.</summary>
    public async ValueTask<ImmutableSortedDictionary<string, string>> HashAsync(CancellationToken cancellationToken)
    {
        ImmutableSortedDictionary<string, string>.Builder hashes = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach ((string name, string source) in _sources)
        {
            FileStream stream = System.IO.File.OpenRead(source);
            await using (stream.ConfigureAwait(false))
                hashes[name] = new ContentHash(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false)).ToString();
        }
        return hashes.ToImmutable();
    }

    /// <summary>Copies the files into a folder, durably.</summary>
    /// <returns>The hash of each file as copied.</returns>
    public async ValueTask<ImmutableSortedDictionary<string, string>> CopyToAsync(string folder, CancellationToken cancellationToken)
    {
        ImmutableSortedDictionary<string, string>.Builder hashes = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach ((string name, string source) in _sources)
        {
            string target = RepositoryLayout.Inside(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await AtomicFile.WriteAsync(target, (file, token) => CopyAsync(source, file, hash, token), isDurable: true, cancellationToken).ConfigureAwait(false);
            for (string parent = Path.GetDirectoryName(target)!; parent.Length > folder.Length; parent = Path.GetDirectoryName(parent)!)
                AtomicFile.FlushFolder(Path.GetDirectoryName(parent)!);
            hashes[name] = new ContentHash(hash.GetHashAndReset()).ToString();
        }
        return hashes.ToImmutable();
    }

    private static async ValueTask CopyAsync(string source, FileStream file, IncrementalHash hash, CancellationToken cancellationToken)
    {
        FileStream stream = System.IO.File.OpenRead(source);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
