using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx;

/// <summary>What an ONNX file says of itself.</summary>
public sealed record OnnxModelSummary
{
    internal OnnxModelSummary(ModelProto model)
    {
        IrVersion = model.IrVersion;
        Producer = $"{model.ProducerName} {model.ProducerVersion}".Trim();
        OperatorSets = model.OpsetImport.DistinctBy(static set => set.Domain).ToImmutableSortedDictionary(static set => set.Domain, static set => set.Version, StringComparer.Ordinal);
        ParameterCount = model.Graph.Initializer.Sum(static tensor => tensor.Dims.Aggregate(1L, static (count, dimension) => count * dimension))
            + model.Graph.SparseInitializer.Sum(static tensor => tensor.Values.Dims.Aggregate(1L, static (count, dimension) => count * dimension));
        OperatorCounts = model.Graph.Node
            .GroupBy(static node => node.Domain is "" or "ai.onnx" ? node.OpType : $"{node.Domain}.{node.OpType}", StringComparer.Ordinal)
            .ToImmutableSortedDictionary(static group => group.Key, static group => group.Count(), StringComparer.Ordinal);
    }

    /// <summary>The version of the file format.</summary>
    public long IrVersion { get; }

    /// <summary>The name and version of the tool that wrote the file; may be empty.</summary>
    public string Producer { get; }

    /// <summary>The operator-set versions by domain; the empty domain is ONNX's own.</summary>
    public IReadOnlyDictionary<string, long> OperatorSets { get; }

    /// <summary>The elements of all initializers; running statistics of batch normalisations are among them.</summary>
    public long ParameterCount { get; }

    /// <summary>How often each operator stands in the main graph; one of another domain than ONNX's own has the domain before it.</summary>
    public IReadOnlyDictionary<string, int> OperatorCounts { get; }
}
