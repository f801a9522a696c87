using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Storage.Internal;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// Partitions in the form that ONNX Runtime has rewritten them to, each in a folder of its own for as long as the process runs: a graph, and its
/// weights in the layout that the kernels read. ONNX Runtime maps those weights where they lie, so such a model loads in a few milliseconds
/// and takes hardly any memory that the system could not take back; what was used least recently makes room.
/// </summary>
/// <remarks>Only for the CPU: what other providers compile cannot be written. It fits one build of ONNX Runtime on one kind of processor, so it is never kept for another process.</remarks>
internal sealed class OptimizedModels(string parent, long limitBytes) : IDisposable
{
    private const string Prefix = "edgesplit-optimized-";
    private const string GraphName = "model.onnx";
    private const string WeightsName = "weights";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly HashSet<string> _hopeless = [];
    private LockedFolder? _folder;
    private bool _isDisposed;
    private long _uses;

    /// <summary>Whether a partition can be kept: ONNX Runtime writes no weights that may also be fed.</summary>
    public static bool CanKeep(ModelProto skeleton)
    {
        HashSet<string> inputs = [.. skeleton.Graph.Input.Select(static input => input.Name)];
        return !skeleton.Graph.Initializer.Any(weight => inputs.Contains(weight.Name));
    }

    /// <summary>Loads a partition from what is kept of it; null where nothing is, or is not to be had any more.</summary>
    /// <param name="partitionId">The partition.</param>
    /// <param name="load">Loads a graph whose weights are in a folder.</param>
    public OrtSession? TryLoad(string partitionId, Func<byte[], string, OrtSession> load)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(partitionId, out entry))
                return null;
            entry.LastUse = ++_uses;
        }
        try
        {
            return load(File.ReadAllBytes(Path.Combine(entry.Folder, GraphName)), entry.Folder);
        }
        catch (Exception exception) when (exception is OrtFailure or IOException or UnauthorizedAccessException)
        {
            // Whatever it was, a load from the partition itself will tell or do without it.
            lock (_gate)
                Remove(partitionId);
            return null;
        }
    }

    /// <summary>Rewrites a partition and keeps the result; false where that cannot be done.</summary>
    /// <param name="partitionId">The partition.</param>
    /// <param name="rewrite">Loads the partition once with options that <see cref="SaveTo"/> has adjusted for the folder it is given.</param>
    public bool TryAdd(string partitionId, Action<string> rewrite)
    {
        string? folder = null;
        try
        {
            lock (_gate)
            {
                if (_isDisposed || _hopeless.Contains(partitionId))
                    return false;
                _folder ??= CreateFolder();
                folder = Path.Combine(_folder.Path, $"{partitionId}-{++_uses}");
            }
            Directory.CreateDirectory(folder);
            rewrite(folder);
            long byteCount = new DirectoryInfo(folder).EnumerateFiles().Sum(static file => file.Length);
            lock (_gate)
            {
                if (_isDisposed)
                    return false;
                if (byteCount > limitBytes)
                {
                    _hopeless.Add(partitionId);
                    return false;
                }
                if (!_entries.TryAdd(partitionId, new Entry(folder, byteCount) { LastUse = ++_uses }))
                    return true;
                folder = null;
                MakeRoom();
                return true;
            }
        }
        catch (Exception exception) when (exception is OrtFailure or IOException or UnauthorizedAccessException)
        {
            // A full disk, or a model that ONNX Runtime cannot write: it is loaded as it came then, which tells if it cannot be.
            lock (_gate)
                _hopeless.Add(partitionId);
            return false;
        }
        finally
        {
            if (folder is not null)
                Delete(folder);
        }
    }

    /// <summary>Lets a load write what it makes of a model.</summary>
    public static void SaveTo(SessionOptions options, string folder) => SessionSettings.SaveOptimized(options, Path.Combine(folder, GraphName), WeightsName);

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _entries.Clear();
        }
        AppDomain.CurrentDomain.ProcessExit -= DisposeAtExit;
        _folder?.Dispose();
    }

    private LockedFolder CreateFolder()
    {
        Directory.CreateDirectory(parent);
        var folder = new LockedFolder(parent, Prefix);
        // For those who do not dispose of the runtime. Who is killed leaves it to the next.
        AppDomain.CurrentDomain.ProcessExit += DisposeAtExit;
        return folder;
    }

    private void DisposeAtExit(object? sender, EventArgs e) => Dispose();

    private void MakeRoom()
    {
        long usedBytes = _entries.Values.Sum(static entry => entry.ByteCount);
        foreach ((string partitionId, Entry entry) in _entries.OrderBy(static pair => pair.Value.LastUse).ToArray())
        {
            if (usedBytes <= limitBytes)
                return;
            Remove(partitionId);
            usedBytes -= entry.ByteCount;
        }
    }

    private void Remove(string partitionId)
    {
        if (_entries.Remove(partitionId, out Entry? entry))
            Delete(entry.Folder);
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Windows keeps what a session has mapped; it goes with the process's folder.
        }
    }

    private sealed class Entry(string folder, long byteCount)
    {
        public string Folder { get; } = folder;

        public long ByteCount { get; } = byteCount;

        public long LastUse { get; set; }
    }
}
