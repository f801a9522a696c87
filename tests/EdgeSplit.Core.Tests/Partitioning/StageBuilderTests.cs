using CsCheck;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class StageBuilderTests
{
    [Test]
    public void Contiguous_parts_give_one_stage_each_whatever_skips_and_side_inputs_there_are()
    {
        Gen.Select(Gen.Int[0, 10_000], Gen.Int[1, 8]).Sample((seed, parts) =>
        {
            var random = new Random(seed);
            ModelGraph graph = PlanningGraph.Random(random, random.Next(parts, 60), random.Next(1, 4));
            int[] cuts = [.. Enumerable.Range(1, graph.Layers.Length - 1).OrderBy(_ => random.Next()).Take(parts - 1).Order()];
            int[] devices = [.. Enumerable.Range(0, parts).OrderBy(_ => random.Next())];
            int[] assignment = [.. Enumerable.Range(0, graph.Layers.Length).Select(layer => devices[cuts.Count(cut => cut <= layer)])];
            int[] stageDevices = [.. StageBuilder.Build(graph, assignment).Select(static stage => stage.Device)];
            Assert.That(stageDevices, Is.EquivalentTo(devices));
        });
    }

    [Test]
    public void Layer_of_the_second_part_that_reads_only_the_model_input_joins_it()
    {
        var graph = new PlanningGraph();
        int input = graph.Input(1);
        int first = graph.Layer(1, [input], 1);
        int side = graph.Layer(1, [input], 1);
        int second = graph.Layer(1, [first], 1);
        graph.Layer(1, [second, side, first], 1, isOutput: true);
        Assert.That(StageBuilder.Build(graph.Build(), [0, 1, 1, 1]).Select(static stage => stage.Layers), Is.EqualTo(new int[][] { [0], [1, 2, 3] }));
    }

    [Test]
    public void Path_through_another_device_keeps_stages_apart()
    {
        ModelGraph graph = PlanningGraph.Chain(3);
        Assert.That(StageBuilder.Build(graph, [0, 1, 0]).Select(static stage => stage.Device), Is.EqualTo(new[] { 0, 1, 0 }));
    }

    [Test]
    public void Two_pairs_that_cross_are_not_merged_into_a_cycle()
    {
        var graph = new PlanningGraph();
        int input = graph.Input(1);
        int a = graph.Layer(1, [input], 1);
        int b = graph.Layer(1, [input], 1);
        graph.Layer(1, [a], 1, isOutput: true);
        graph.Layer(1, [b], 1, isOutput: true);
        // Both {a, d} and {b, c} are convex, but each would wait for the other.
        Assert.That(StageBuilder.Build(graph.Build(), [0, 1, 1, 0]), Has.Length.EqualTo(3));
    }

    [Test]
    public void Stages_of_any_assignment_partition_the_layers_and_are_convex_runnable_and_maximal()
    {
        Gen.Select(Gen.Int[0, 100_000], Gen.Int[1, 4]).Sample((seed, devices) =>
        {
            var random = new Random(seed);
            ModelGraph graph = PlanningGraph.Random(random, random.Next(1, 25), random.Next(1, 3));
            int[] assignment = [.. graph.Layers.Select(_ => random.Next(devices))];
            PlanStage[] stages = [.. StageBuilder.Build(graph, assignment)];

            Assert.That(stages.SelectMany(static stage => stage.Layers).Order(), Is.EqualTo(Enumerable.Range(0, graph.Layers.Length)));
            int[] stageOf = new int[graph.Layers.Length];
            foreach (PlanStage stage in stages)
            {
                Assert.That(stage.Layers.Select(layer => assignment[layer]), Is.All.EqualTo(stage.Device));
                foreach (int layer in stage.Layers)
                    stageOf[layer] = stage.Index;
            }
            bool[,] reaches = Reachability(graph, stageOf, stages.Length);
            for (int first = 0; first < stages.Length; first++)
            {
                Assert.That(reaches[first, first], Is.False, "stages wait for each other");
                for (int second = 0; second < stages.Length; second++)
                {
                    Assert.That(!reaches[first, second] || first < second, "the order does not run");
                    if (first < second && stages[first].Device == stages[second].Device)
                        Assert.That(Enumerable.Range(0, stages.Length).Any(middle => reaches[first, middle] && reaches[middle, second]), "two stages could be one");
                }
            }
            foreach (PlanStage stage in stages)
            {
                Assert.That(stage.Inputs, Is.EqualTo(graph.Activations.Where(value => value.Consumers.Any(consumer => stageOf[consumer] == stage.Index)
                    && (value.Producer < 0 || stageOf[value.Producer] != stage.Index)).Select(static value => value.Index)));
                Assert.That(stage.Outputs, Is.EqualTo(graph.Activations.Where(value => value.Producer >= 0 && stageOf[value.Producer] == stage.Index
                    && (value.IsModelOutput || value.Consumers.Any(consumer => stageOf[consumer] != stage.Index))).Select(static value => value.Index)));
            }
        });
    }

    [Test]
    public void Values_that_cannot_travel_keep_their_layers_and_what_is_between_in_one_stage()
    {
        var graph = new PlanningGraph();
        int input = graph.Input(1);
        int sequence = graph.Layer(1, [input], 1, canTravel: false);
        int between = graph.Layer(1, [sequence], 1);
        int aside = graph.Layer(1, [input], 1);
        graph.Layer(1, [sequence, between, aside], 1, isOutput: true);
        ModelGraph model = graph.Build();
        Assert.That(StageBuilder.Build(model, [0, 0, 1, 0]).Select(static stage => stage.Layers), Is.EqualTo(new int[][] { [2], [0, 1, 3] }));
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => StageBuilder.Build(model, [0, 1, 1, 0]));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.IllegalCut));
        Assert.That(exception.Message, Does.Contain($"'value{sequence}'").And.Contain("'layer1'"));
    }

    [Test]
    public void Ten_thousand_layers_on_random_devices_take_less_than_seconds()
    {
        ModelGraph graph = PlanningGraph.Random(new Random(5), 10_000);
        var random = new Random(1);
        int[] assignment = [.. Enumerable.Range(0, 10_000).Select(_ => random.Next(8))];
        long start = TimeProvider.System.GetTimestamp();
        Assert.That(StageBuilder.Build(graph, assignment), Is.Not.Empty);
        Assert.That(TimeProvider.System.GetElapsedTime(start), Is.LessThan(TimeSpan.FromSeconds(5)));
    }

    private static bool[,] Reachability(ModelGraph graph, int[] stageOf, int count)
    {
        var reaches = new bool[count, count];
        foreach (Activation value in graph.Activations.Where(static value => value.Producer >= 0))
        {
            foreach (int consumer in value.Consumers)
            {
                if (stageOf[value.Producer] != stageOf[consumer])
                    reaches[stageOf[value.Producer], stageOf[consumer]] = true;
            }
        }
        for (int middle = 0; middle < count; middle++)
        {
            for (int from = 0; from < count; from++)
            {
                for (int to = 0; to < count; to++)
                    reaches[from, to] |= reaches[from, middle] && reaches[middle, to];
            }
        }
        return reaches;
    }
}
