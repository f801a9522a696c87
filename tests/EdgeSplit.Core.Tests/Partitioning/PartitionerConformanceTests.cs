using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Tests.Partitioning;

public sealed class LayerwisePartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => new LayerwisePartitioner();
}

public sealed class LocalSearchPartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => new LocalSearchPartitioner();
}

public sealed class PipelinePartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => new PipelinePartitioner();
}

public sealed class MinCutPartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => new MinCutPartitioner();
}

public sealed class ExactPartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => new ExactPartitioner();
}

public sealed class AutoPartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => new AutoPartitioner();
}
