using System.CommandLine;
using EdgeSplit.OrTools;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Tool.Commands;

/// <summary>The partitioners that <c>--solver</c> names.</summary>
internal static class Solvers
{
    private const string Default = "auto";
    private const string CpSat = "cp-sat";

    private static readonly Dictionary<string, Func<TimeSpan, IPartitioner>> ByName = new(StringComparer.Ordinal)
    {
        [Default] = static limit => new AutoPartitioner(new AutoPartitionerOptions { TimeBudget = limit }),
        [CpSat] = static limit => new CpSatPartitioner(new CpSatPartitionerOptions { TimeLimit = limit }),
        ["exact"] = static _ => new ExactPartitioner(),
        ["pipeline"] = static _ => new PipelinePartitioner(),
        ["min-cut"] = static _ => new MinCutPartitioner(),
        ["local-search"] = static _ => new LocalSearchPartitioner(),
        ["layerwise"] = static _ => new LayerwisePartitioner(),
    };

    public static Option<string> Option()
    {
        var option = new Option<string>("--solver")
        {
            Description = "What searches. 'auto' and 'cp-sat' (OR-Tools, from the best plan of 'auto') keep to --time-limit, prove a bound and make copies of stages; 'exact' proves the best plan of a small model.",
            DefaultValueFactory = static _ => Default,
        };
        option.AcceptOnlyFromAmong([.. ByName.Keys]);
        return option;
    }

    /// <summary>Whether a partitioner puts copies of stages on further devices.</summary>
    public static bool MakesCopies(string name) => name is Default or CpSat;

    public static IPartitioner Create(string name, TimeSpan timeLimit) => ByName[name](timeLimit);
}
