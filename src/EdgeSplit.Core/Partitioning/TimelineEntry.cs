namespace EdgeSplit.Partitioning;

/// <summary>One bar of the predicted course of a request: a stage that computes, or a value that travels.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Index">The position in <see cref="PartitionPlan.Stages"/> of the stage, or the index of the activation.</param>
/// <param name="Device">The position in the fleet of the device that computes or sends.</param>
/// <param name="Receiver">The position in the fleet of the device that receives; <paramref name="Device"/> for a stage.</param>
/// <param name="StartSeconds">Seconds from the request's arrival.</param>
/// <param name="EndSeconds">Seconds from the request's arrival; for a transfer when the last byte has arrived.</param>
public sealed record TimelineEntry(TimelineEntryKind Kind, int Index, int Device, int Receiver, double StartSeconds, double EndSeconds);
