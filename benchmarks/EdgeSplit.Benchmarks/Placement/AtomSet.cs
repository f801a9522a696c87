using System.Numerics;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>A set of atoms, one bit each. Sets of one graph have one capacity; equal where they have the same members.</summary>
/// <param name="capacity">The number of atoms of the graph.</param>
internal sealed class AtomSet(int capacity) : IEquatable<AtomSet>
{
    private readonly ulong[] _words = new ulong[(capacity + 63) / 64];

    public int Count
    {
        get
        {
            int count = 0;
            foreach (ulong word in _words)
                count += BitOperations.PopCount(word);
            return count;
        }
    }

    public bool Contains(int atom) => (_words[atom >> 6] >> (atom & 63) & 1) != 0;

    public void Add(int atom) => _words[atom >> 6] |= 1UL << (atom & 63);

    public void Remove(int atom) => _words[atom >> 6] &= ~(1UL << (atom & 63));

    public void UnionWith(AtomSet other)
    {
        for (int i = 0; i < _words.Length; i++)
            _words[i] |= other._words[i];
    }

    public void IntersectWith(AtomSet other)
    {
        for (int i = 0; i < _words.Length; i++)
            _words[i] &= other._words[i];
    }

    public void ExceptWith(AtomSet other)
    {
        for (int i = 0; i < _words.Length; i++)
            _words[i] &= ~other._words[i];
    }

    public void CopyFrom(AtomSet other) => other._words.CopyTo(_words, 0);

    public AtomSet Copy()
    {
        var copy = new AtomSet(64 * _words.Length);
        copy.CopyFrom(this);
        return copy;
    }

    public void Clear() => Array.Clear(_words);

    public bool IsSubsetOf(AtomSet other)
    {
        for (int i = 0; i < _words.Length; i++)
        {
            if ((_words[i] & ~other._words[i]) != 0)
                return false;
        }
        return true;
    }

    public bool Overlaps(AtomSet other)
    {
        for (int i = 0; i < _words.Length; i++)
        {
            if ((_words[i] & other._words[i]) != 0)
                return true;
        }
        return false;
    }

    /// <summary>The first member at or after an atom; -1 where there is none.</summary>
    public int NextFrom(int atom)
    {
        int word = atom >> 6;
        if (word >= _words.Length)
            return -1;
        ulong bits = _words[word] & (ulong.MaxValue << (atom & 63));
        while (bits == 0)
        {
            if (++word == _words.Length)
                return -1;
            bits = _words[word];
        }
        return (word << 6) + BitOperations.TrailingZeroCount(bits);
    }

    public bool Equals(AtomSet? other) => other is not null && _words.AsSpan().SequenceEqual(other._words);

    public override bool Equals(object? obj) => Equals(obj as AtomSet);

    public override int GetHashCode()
    {
        ulong hash = 1469598103934665603;
        foreach (ulong word in _words)
            hash = BitOperations.RotateLeft((hash ^ word) * 0x9E3779B97F4A7C15, 29);
        return (int)(hash ^ (hash >> 32));
    }
}
