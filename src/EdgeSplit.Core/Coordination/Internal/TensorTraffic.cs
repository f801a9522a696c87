using EdgeSplit.Compression;
using EdgeSplit.Models;

namespace EdgeSplit.Coordination.Internal;

/// <summary>What passes between the coordinator and the stages of a plan, and from stage to stage, on the ways that requests take. Immutable.</summary>
internal sealed class TensorTraffic
{
    private readonly HashSet<StageRoute> _routes = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<int, (long Sent, long Received)?> _exchanged = [];
    private readonly Dictionary<(int From, int To), (long Bytes, ActivationEncoding Encoding)> _delivered = [];

    /// <param name="graph">The model, which tells sizes.</param>
    /// <param name="ways">The ways, one of which each request takes.</param>
    public TensorTraffic(ModelGraph graph, IEnumerable<RequestRoutes> ways)
    {
        Dictionary<string, long> bytes = graph.Activations.DistinctBy(static activation => activation.Info.Name)
            .ToDictionary(static activation => activation.Info.Name, static activation => activation.ByteCount, StringComparer.Ordinal);
        foreach (RequestRoutes way in ways)
        {
            for (int stage = 0; stage < way.Stages.Length; stage++)
            {
                StageRoute route = way.Stages[stage];
                _routes.Add(route);
                // What comes while others are waited for takes no time of its own.
                (long, long)? exchanged = (route.Exchange is { Awaited.IsEmpty: false } ? 0 : BytesOf(route.InputNames.Names), BytesOf(route.OutputNames));
                if (_exchanged.TryGetValue(way.Numbers[stage], out (long, long)? other) && other != exchanged)
                    exchanged = null;
                _exchanged[way.Numbers[stage]] = exchanged;
                for (int i = 0; i < route.DeliveredTo.Length; i++)
                    _delivered[(way.Numbers[stage], way.Numbers[route.DeliveredTo[i]])] = (BytesOf(route.Exchange!.Deliveries[i].Outputs), route.Exchange.Deliveries[i].Encoding);
            }
        }

        long BytesOf(IEnumerable<string> names) => names.Sum(name => bytes.GetValueOrDefault(name));
    }

    /// <summary>The stages, by their positions in the plan.</summary>
    public IEnumerable<int> Stages => _exchanged.Keys;

    /// <summary>The pairs of stages of which the first hands tensors to the second.</summary>
    public IEnumerable<(int From, int To)> Pairs => _delivered.Keys;

    /// <summary>Whether requests take this way now.</summary>
    public bool Holds(StageRoute route) => _routes.Contains(route);

    /// <summary>The bytes that the coordinator sends a stage and gets from it, as far as they take time that tells of the link; null where that depends on the request's way.</summary>
    public (long Sent, long Received)? ExchangedBytes(int stage) => _exchanged.GetValueOrDefault(stage);

    /// <summary>What a stage hands to another; null for nothing.</summary>
    public (long Bytes, ActivationEncoding Encoding)? Delivered(int from, int to) =>
        _delivered.TryGetValue((from, to), out (long Bytes, ActivationEncoding Encoding) delivered) ? delivered : null;
}
