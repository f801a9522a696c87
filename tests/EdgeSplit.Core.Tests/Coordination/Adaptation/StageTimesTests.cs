using System.Collections.Immutable;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class StageTimesTests
{
    private const double Share = 0.25;
    private readonly FakeTimeProvider _time = new();
    private readonly StageTimes _times;

    public StageTimesTests()
    {
        // Predicts nothing, so that the first runs are what is expected.
        _times = new StageTimes(FreePlan.OfTwoStages, _time);
    }

    [Test]
    public void FindComputeChanges_first_runs_differ_from_the_prediction()
    {
        Run(0, 5, 10);
        Assert.That(ComputeChange(), Is.Null);
        Run(0, 1, 10);
        Assert.That(ComputeChange(), Is.EqualTo(new StageChange(0, 0, 0.010)));
        _times.Accept(0.5);
        Assert.That(ComputeChange(), Is.Null);
    }

    [Test]
    public void FindComputeChanges_measures_from_the_first_runs_where_the_prediction_was_near_them()
    {
        var problem = new PartitionProblem
        {
            Graph = FakeModelBuilder.Chain("chain", 1).Graph,
            Fleet = new Fleet([new Device { Id = "a" }]),
            CostModel = new EdgeSplit.Costs.WeightedCostModel(),
            MeasuredLayerSeconds = ImmutableDictionary<string, ImmutableArray<double>>.Empty.Add("a", [0.010]),
        };
        var times = new StageTimes(new PlanEvaluator(problem).Create([0], "test"), _time);
        Run(times, 0, 16, 12);
        Assert.That(times.FindComputeChanges(Share), Is.Empty);
        // A quarter more than was predicted, not than was measured.
        Run(times, 0, 6, 14);
        Assert.That(times.FindComputeChanges(Share), Is.Empty);
        Run(times, 0, 6, 40);
        Assert.That(times.FindComputeChanges(Share).Single().BeforeSeconds, Is.EqualTo(0.0125).Within(0.0005));
    }

    [Test]
    public void FindComputeChanges_six_runs_of_twice_the_time_are_a_change()
    {
        Learn(10);
        Run(0, 5, 20);
        Assert.That(ComputeChange(), Is.Null);
        Run(0, 1, 20);
        StageChange? change = ComputeChange();
        Assert.That(change?.NowSeconds, Is.EqualTo(0.020).Within(1e-9));
        Assert.That(change?.BeforeSeconds, Is.EqualTo(0.010).Within(1e-3));
    }

    [Test]
    public void FindComputeChanges_takes_noise_and_single_odd_runs_for_none()
    {
        Learn(10);
        var random = new Random(1);
        for (int run = 0; run < 2000; run++)
        {
            Run(0, 1, run % 7 == 0 ? 80 : 10 * (0.8 + (0.4 * random.NextDouble())));
            Assert.That(ComputeChange(), Is.Null);
        }
    }

    [Test]
    public void FindComputeChanges_finds_a_slow_drift()
    {
        Learn(10);
        int runs = 0;
        double milliseconds = 10;
        for (; ComputeChange() is null && runs < 1000; runs++)
            Run(0, 1, milliseconds *= 1.005);
        Assert.That(milliseconds, Is.InRange(12.5, 14));
    }

    [Test]
    public void FindComputeChanges_leaves_out_what_is_lost_in_the_whole()
    {
        Learn(0.1);
        Run(0, 16, 0.4);
        Assert.That(ComputeChange(), Is.Null);
    }

    [Test]
    public void FindComputeChanges_of_two_stages_gives_the_larger()
    {
        Learn(10);
        Run(0, 6, 20);
        Run(1, 6, 40);
        Assert.That(ComputeChange()?.Stage, Is.EqualTo(1));
    }

    [Test]
    public void FindTransferChanges_compares_the_least_of_eight()
    {
        Run(0, 8, 10, transfer: 5);
        _times.Accept(0.5);
        for (int i = 0; i < 16; i++)
            Run(0, 1, 10, transfer: i % 4 == 0 ? 5 : 50);
        Assert.That(TransferChange(), Is.Null, "Queues make single transfers slow.");
        Run(0, 8, 10, transfer: 50);
        Assert.That(TransferChange(), Is.EqualTo(new StageChange(0, 0.005, 0.050)));
        _times.Accept(0.5);
        Assert.That(TransferChange(), Is.Null);
    }

    [Test]
    public void AnswersPerSecond_counts_the_latest_answers()
    {
        for (int answer = 0; answer < 5; answer++)
            Answer();
        Assert.That(_times.AnswersPerSecond(0), Is.Zero);
        for (int answer = 0; answer < 20; answer++)
            Answer();
        Assert.That(_times.AnswersPerSecond(0), Is.EqualTo(10).Within(1e-6));

        void Answer()
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            Run(0, 1, 10);
        }
    }

    [Test]
    public void FindTransferChanges_four_in_a_row_of_several_times_the_time_are_enough()
    {
        Run(0, 8, 10, transfer: 5);
        Run(0, 3, 10, transfer: 50);
        Assert.That(TransferChange(), Is.Null);
        _times.Accept(0.5);
        Run(0, 1, 10, transfer: 40);
        Assert.That(TransferChange(), Is.EqualTo(new StageChange(0, 0.005, 0.040)), "What was not seen is not accepted.");
        _times.Accept(0.5);
        Assert.That(TransferChange(), Is.Null);
    }

    [Test]
    public void Runs_beside_a_load_tell_nothing_of_the_device()
    {
        Learn(10);
        for (int run = 0; run < 32; run++)
            _times.Record(new StageTiming(0, "a", TimeSpan.Zero, TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(40), TimeSpan.Zero), tellsCompute: false);
        Assert.That(ComputeChange(), Is.Null);
        Run(0, 6, 40);
        Assert.That(ComputeChange()!.NowSeconds, Is.EqualTo(0.04).Within(0.001));
    }

    private StageChange? ComputeChange() => _times.FindComputeChanges(Share).FirstOrDefault();

    private StageChange? TransferChange() => _times.FindTransferChanges(0.5).FirstOrDefault();

    /// <summary>Lets both stages be expected to take a time.</summary>
    private void Learn(double milliseconds)
    {
        Run(0, 16, milliseconds);
        Run(1, 16, milliseconds);
        _times.Accept(0.5);
        Run(0, 64, milliseconds);
        Run(1, 64, milliseconds);
    }

    private void Run(int stage, int runs, double compute, double transfer = 0) => Run(_times, stage, runs, compute, transfer);

    private static void Run(StageTimes times, int stage, int runs, double compute, double transfer = 0)
    {
        for (int run = 0; run < runs; run++)
            times.Record(new StageTiming(stage, "a", TimeSpan.Zero, TimeSpan.FromMilliseconds(compute + transfer), TimeSpan.FromMilliseconds(compute), TimeSpan.Zero));
    }
}
