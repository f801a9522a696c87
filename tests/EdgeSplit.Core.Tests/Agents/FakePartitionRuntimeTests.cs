using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Agents;

/// <summary>The fake that other tests lean on keeps the rules of what it stands for; so does what decorates it.</summary>
[TestFixture(1.0)]
[TestFixture(1.5)]
public sealed class FakePartitionRuntimeTests(double factor) : PartitionRuntimeConformance
{
    private static readonly FakeModel Model = new FakeModelBuilder("m")
        .Input("x", 6).Mix("a", ["x"], "p", "q").Mix("b", ["q", "x"], "r").Mix("c", ["r", "p"], "y").Output("y", "q").Build();

    protected override IPartitionRuntime CreateRuntime() => new SlowedPartitionRuntime(new FakePartitionRuntime(), factor);

    protected override ValueTask<ISplittableModel> OpenModelAsync() => new FakeModelFormat(Model).OpenAsync("m", default);

    protected override IReadOnlyDictionary<string, Tensor> CreateInputs(int seed) => Model.RandomInputs(seed);
}
