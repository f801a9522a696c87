namespace EdgeSplit.Coordination.Adaptation;

/// <summary>Decides whether a deployment switches to another plan.</summary>
/// <remarks>Implementations are thread-safe and return soon. A plan that no longer works, or over whose links tensors no longer arrive, is replaced without asking.</remarks>
public interface IRepartitionPolicy
{
    /// <summary>A name to show.</summary>
    string Name { get; }

    /// <summary>Weighs a plan against the one in use.</summary>
    RepartitionVerdict Decide(RepartitionProposal proposal);
}
