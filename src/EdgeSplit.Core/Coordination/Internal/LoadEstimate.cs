using EdgeSplit.Costs.Internal;
using EdgeSplit.Monitoring;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// The share of a device that other programs take, other agents on the same machine not among them: what those take follows from
/// the plan, so that to follow it would chase its own tail. The median of the last reports, so that a single odd one counts nothing.
/// </summary>
internal sealed class LoadEstimate
{
    private readonly Lock _lock = new();
    private readonly SampleWindow<double> _shares = new(5);

    public double Share { get; private set; }

    /// <param name="sample">What the agent reports.</param>
    /// <param name="otherAgents">The share that other agents on the same machine take.</param>
    public void Add(ResourceSample sample, double otherAgents)
    {
        if (sample.HostCpuLoad is not double host || sample.ProcessCpuLoad is not double own)
            return;
        lock (_lock)
        {
            _shares.Add(Math.Clamp(host - own - otherAgents, 0, 0.95));
            Span<double> shares = stackalloc double[_shares.Count];
            _shares.Samples.CopyTo(shares);
            Share = Quantiles.UpperMedian(shares);
        }
    }
}
