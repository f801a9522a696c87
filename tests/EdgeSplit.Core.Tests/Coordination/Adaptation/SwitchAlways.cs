using EdgeSplit.Coordination.Adaptation;

namespace EdgeSplit.Tests.Coordination.Adaptation;

/// <summary>A policy that takes every other plan.</summary>
internal sealed class SwitchAlways : IRepartitionPolicy
{
    public string Name => "test";

    public RepartitionVerdict Decide(RepartitionProposal proposal) => new(true, "Always.");
}
