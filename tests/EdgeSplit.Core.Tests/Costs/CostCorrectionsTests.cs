using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Costs;

public sealed class CostCorrectionsTests
{
    private static readonly ImmutableArray<int> First = [0, 1];

    [Test]
    public void Apply_without_measurements_changes_nothing()
    {
        PartitionProblem problem = Problem();
        PartitionProblem corrected = new CostCorrections().Apply(problem);
        Assert.That(corrected.Fleet, Is.SameAs(problem.Fleet));
        Assert.That(corrected.MeasuredLayerSeconds, Is.Empty);
    }

    [Test]
    public void Apply_waits_for_enough_times()
    {
        var corrections = new CostCorrections();
        Record(corrections, "a", First, 30, 30);
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds, Is.Empty);
        Record(corrections, "a", First, 30);
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds["a"].Take(2).Sum(), Is.EqualTo(30).Within(1e-9));
    }

    [Test]
    public void Apply_spreads_a_stage_by_what_was_predicted_and_the_device_factor_over_other_layers()
    {
        var corrections = new CostCorrections();
        Record(corrections, "a", First, 60, 60, 60);
        // Predicted 10, 20, 30 s; the stage took twice as long.
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds["a"], Is.EqualTo([20.0, 40, 60]).Within(1e-9));
        Assert.That(corrections.FactorsFor(Problem()).Devices["a"], Is.EqualTo(2).Within(1e-9));
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds.ContainsKey("b"), Is.False);
    }

    [Test]
    public void Apply_ignores_outliers_up_to_half_of_the_times()
    {
        var corrections = new CostCorrections();
        Record(corrections, "a", First, 33, 33, 9000, 33, 7000, 33, 33, 8000);
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds["a"].Take(2).Sum(), Is.EqualTo(33).Within(1e-9));
    }

    [Test]
    public void Apply_follows_a_change_after_half_a_window()
    {
        var corrections = new CostCorrections(new CostCorrectionOptions { Window = 5 });
        Record(corrections, "a", First, 30, 30, 30, 30, 30, 90, 90, 90);
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds["a"].Take(2).Sum(), Is.EqualTo(90).Within(1e-9));
    }

    [Test]
    public void Apply_takes_the_stage_that_was_seen_last()
    {
        var corrections = new CostCorrections();
        Record(corrections, "a", First, 60, 60, 60);
        Record(corrections, "a", [1, 2], 25, 25, 25);
        Assert.That(corrections.Apply(Problem()).MeasuredLayerSeconds["a"], Is.EqualTo([20.0, 10, 15]).Within(1e-9));
    }

    [Test]
    public void Apply_does_not_count_the_load_twice()
    {
        var corrections = new CostCorrections();
        for (int i = 0; i < 3; i++)
            corrections.RecordStage("a", First, TimeSpan.FromSeconds(60), deviceLoad: 0.5);
        PartitionProblem loaded = Problem() with { Fleet = new Fleet([new Device { Id = "a", FlopsPerSecond = 1, LayerOverheadSeconds = 0, CurrentLoad = 0.5 }]) };
        PlanEvaluation evaluation = new PlanEvaluator(corrections.Apply(loaded)).Evaluate([0, 0, 0]);
        Assert.That(evaluation.Cost.LatencySeconds, Is.EqualTo(120).Within(1e-6));
    }

    [Test]
    public void Apply_scales_the_links_of_an_exchange()
    {
        var corrections = new CostCorrections();
        // 100 and 50 bytes at 10 a second and 1 s of latency each way are 17 s.
        foreach (double seconds in new[] { 51.0, 51, 400, 51, 51, 900 })
            corrections.RecordExchange("a", "b", 100, 50, TimeSpan.FromSeconds(seconds));
        Fleet fleet = corrections.Apply(Problem()).Fleet;
        Assert.That(fleet.LinkBetween(0, 1).BytesPerSecond, Is.EqualTo(10 / 3.0).Within(1e-9));
        Assert.That(fleet.LinkBetween(1, 0).Latency.TotalSeconds, Is.EqualTo(3).Within(1e-6));
        Assert.That(fleet.LinkBetween(1, 0).Origin, Is.EqualTo(CostOrigin.Profiled));
    }

    [Test]
    public void Apply_prefers_transfers_in_one_direction()
    {
        var corrections = new CostCorrections();
        for (int i = 0; i < 3; i++)
        {
            corrections.RecordExchange("a", "b", 100, 50, TimeSpan.FromSeconds(51));
            corrections.RecordTransfer("a", "b", 100, TimeSpan.FromSeconds(22));
        }
        CorrectionFactors factors = corrections.FactorsFor(Problem());
        Assert.That(factors.Links[("a", "b")], Is.EqualTo(2).Within(1e-9));
        Assert.That(factors.Links[("b", "a")], Is.EqualTo(3).Within(1e-9));
    }

    [Test]
    public void Forget_drops_a_device_and_its_links()
    {
        var corrections = new CostCorrections();
        Record(corrections, "a", First, 60, 60, 60);
        for (int i = 0; i < 3; i++)
            corrections.RecordTransfer("b", "a", 100, TimeSpan.FromSeconds(22));
        corrections.Forget("a");
        Assert.That(corrections.FactorsFor(Problem()), Is.EqualTo(new CorrectionFactors(
            ImmutableDictionary<string, double>.Empty, ImmutableDictionary<(string, string), double>.Empty)).UsingPropertiesComparer());
    }

    private static void Record(CostCorrections corrections, string device, ImmutableArray<int> layers, params double[] seconds)
    {
        foreach (double value in seconds)
            corrections.RecordStage(device, layers, TimeSpan.FromSeconds(value));
    }

    private static PartitionProblem Problem()
    {
        var graph = new PlanningGraph();
        int value = graph.Input(1);
        value = graph.Layer(10, [value], 1);
        value = graph.Layer(20, [value], 1);
        graph.Layer(30, [value], 1, isOutput: true);
        var device = new Device { Id = "a", FlopsPerSecond = 1, LayerOverheadSeconds = 0, MemoryBytesPerSecond = 1e9 };
        return new PartitionProblem
        {
            Graph = graph.Build(),
            Fleet = new Fleet([device, device with { Id = "b" }], defaultLink: new Link { BytesPerSecond = 10, Latency = TimeSpan.FromSeconds(1) }),
            CostModel = new WeightedCostModel(),
        };
    }
}
