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
