using System.Collections.Frozen;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The names of some tensors, made once and shared by all <see cref="NamedTensors"/> of a kind.</summary>
internal sealed class NameTable
{
    private const int LongestScan = 8;
    private readonly FrozenDictionary<string, int>? _index;

    public NameTable(IEnumerable<string> names)
    {
        Names = [.. names];
        if (Names.Length > LongestScan)
            _index = Names.Index().ToFrozenDictionary(static pair => pair.Item, static pair => pair.Index, StringComparer.Ordinal);
    }

    public string[] Names { get; }

    /// <summary>The position of a name, or -1.</summary>
    public int IndexOf(string name)
    {
        if (_index is not null)
            return _index.GetValueOrDefault(name, -1);
        for (int i = 0; i < Names.Length; i++)
        {
            if (Names[i] == name)
                return i;
        }
        return -1;
    }
}
