using System.Collections;
using System.Diagnostics.CodeAnalysis;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Tensors by name, in the order of the names: a dictionary that costs two small allocations.</summary>
internal sealed class NamedTensors(NameTable names, Tensor[] tensors) : IReadOnlyDictionary<string, Tensor>
{
    public int Count => tensors.Length;

    public IEnumerable<string> Keys => names.Names;

    public IEnumerable<Tensor> Values => tensors;

    public Tensor this[string key] => TryGetValue(key, out Tensor? tensor) ? tensor : throw new KeyNotFoundException($"There is no tensor '{key}'.");

    public bool ContainsKey(string key) => names.IndexOf(key) >= 0;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Tensor value)
    {
        int index = names.IndexOf(key);
        value = index >= 0 ? tensors[index] : null;
        return index >= 0;
    }

    public IEnumerator<KeyValuePair<string, Tensor>> GetEnumerator()
    {
        for (int i = 0; i < tensors.Length; i++)
            yield return new KeyValuePair<string, Tensor>(names.Names[i], tensors[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
