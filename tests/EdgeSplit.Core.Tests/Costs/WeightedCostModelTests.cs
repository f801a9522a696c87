using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Tests.Costs;

public sealed class WeightedCostModelTests
{
    private static readonly Device Device = new() { Id = "d", FlopsPerSecond = 100, MemoryBytesPerSecond = 10, LayerOverheadSeconds = 0.5 };
    private static readonly Layer Layer = new() { Index = 0, Name = "layer", Kind = "Conv", FloatOperations = 400, ActivationTrafficBytes = 10 };
    private static readonly PlanCost Cost = new() { LatencySeconds = 2, BottleneckSeconds = 3, TransferredBytes = 50, EnergyJoules = 20, LoadImbalance = 7 };

    [TestCase(10, 4.5, TestName = "LayerSeconds_of_a_layer_bound_by_arithmetic_is_its_operations_over_the_rate")]
    [TestCase(90, 10.5, TestName = "LayerSeconds_of_a_layer_bound_by_memory_is_its_bytes_over_the_rate")]
    public void LayerSeconds_is_the_roofline(long weightBytes, double expected) =>
        Assert.That(new WeightedCostModel().LayerSeconds(Layer, weightBytes, Device, null), Is.EqualTo(expected));

    [Test]
    public void LayerSeconds_prefers_what_was_measured() =>
        Assert.That(new WeightedCostModel().LayerSeconds(Layer, 0, Device, 0.25), Is.EqualTo(0.25));

    [TestCase(null, 9)]
    [TestCase(0.25, 0.5)]
    public void LayerSeconds_grow_by_the_load(double? measured, double expected) =>
        Assert.That(new WeightedCostModel().LayerSeconds(Layer, 0, Device with { CurrentLoad = 0.5 }, measured), Is.EqualTo(expected));

    [Test]
    public void LayerSeconds_on_a_full_device_are_infinite() =>
        Assert.That(new WeightedCostModel().LayerSeconds(Layer, 0, Device with { CurrentLoad = 1 }, null), Is.EqualTo(double.PositiveInfinity));

    [Test]
    public void Combine_is_the_weighted_sum_in_seconds()
    {
        var model = new WeightedCostModel(new WeightedCostOptions { Latency = 1, Bandwidth = 10, Energy = 100, Load = 1000, ReferenceBytesPerSecond = 25, ReferenceWatts = 5 });
        Assert.That(model.Combine(Cost), Is.EqualTo(2 + 20 + 400 + 3000));
    }

    [TestCase(PlanObjective.Latency, 2, PlanMeasures.Latency)]
    [TestCase(PlanObjective.Throughput, 3, PlanMeasures.Bottleneck)]
    [TestCase(PlanObjective.Energy, 20, PlanMeasures.Energy)]
    public void ForObjective_looks_at_that_alone(PlanObjective objective, double expected, PlanMeasures measures)
    {
        WeightedCostModel model = WeightedCostModel.ForObjective(objective);
        Assert.That(model.Combine(Cost), Is.EqualTo(expected));
        Assert.That(model.Measures, Is.EqualTo(measures));
    }

    [Test]
    public void Options_refuse_negative_weights_and_references_of_zero()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => _ = new WeightedCostOptions { Energy = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(static () => _ = new WeightedCostOptions { ReferenceWatts = 0 });
    }
}
