using EdgeSplit.Costs;
using EdgeSplit.Partitioning;
using EdgeSplit.Partitioning.Internal;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

/// <summary>What single devices can take, against trying every set of units and every plan.</summary>
public sealed class PackingBoundTests
{
    private const int Block = 250;

    [Test]
    public void Load_of_a_set_isNeverAboveWhatTheEvaluatorSays([Range(0, 1)] int block) => ForEach(block, (seed, random, model, units, kinds) =>
    {
        var state = new SearchState(model, units);
        int[] assignment = [.. units.UnitOf.Select(unit => units.Choices[unit][(seed + (7 * unit)) % units.Choices[unit].Length])];
        state.Loads.Reset(assignment);
        for (int device = 0; device < model.DeviceCount; device++)
        {
            bool[] isOn = [.. Enumerable.Range(0, units.Count).Select(unit => state.DeviceOf(unit) == device)];
            double share = random.NextDouble();
            Assert.That(new DeviceLoadCut(model, units, device, share).LoadOf(isOn), Is.LessThanOrEqualTo(state.Loads.LoadOf(device) * (1 + 1e-9)), $"seed {seed}");
        }
    });

    [Test]
    public void Knapsack_findsTheDearestSetWithinTheLoad([Range(0, 1)] int block) => ForEach(block, (seed, random, model, units, kinds) =>
    {
        foreach (int[] members in kinds.Members)
        {
            var cut = new DeviceLoadCut(model, units, members[0], random.NextDouble());
            double[] prices = [.. Enumerable.Range(0, units.Count).Select(_ => (double)random.Next(5))];
            double load = random.NextDouble() * cut.LoadOf([.. Enumerable.Repeat(true, units.Count)]);
            double dearest = 0;
            for (int set = 0; set < 1 << units.Count; set++)
            {
                bool[] isOn = [.. Enumerable.Range(0, units.Count).Select(unit => (set >> unit & 1) == 1)];
                if (Enumerable.Range(0, units.Count).All(unit => !isOn[unit] || cut.IsAllowed(unit)) && cut.LoadOf(isOn) <= load)
                    dearest = Math.Max(dearest, Enumerable.Range(0, units.Count).Sum(unit => isOn[unit] ? prices[unit] : 0));
            }
            var knapsack = new DeviceKnapsack(cut, units.Count);
            double bound = knapsack.Solve(prices, load, null, 1000, WorkBudget.Unlimited(default));
            Assert.That(knapsack.BestPrice, Is.EqualTo(dearest).Within(1e-6), $"seed {seed}");
            Assert.That(bound, Is.EqualTo(dearest).Within(1e-6).And.GreaterThanOrEqualTo(dearest), $"seed {seed}");
            // Cut short, it still bounds.
            Assert.That(new DeviceKnapsack(cut, units.Count).Solve(prices, load, null, 1, WorkBudget.Unlimited(default)), Is.GreaterThanOrEqualTo(dearest), $"seed {seed}");
        }
    });

    [Test]
    public void Bound_isValidAndOftenTight([Range(0, 3)] int block)
    {
        int problems = 0, within = 0;
        ForEach(block, (seed, random, model, units, kinds) =>
        {
            if (BruteForce.LowestObjective(model.Problem) is not double optimum)
                return;
            var bounds = new LowerBounds(model, units, kinds);
            double[] prices = [.. Enumerable.Range(0, units.Count).Select(bounds.CheapestPriced)];
            double bound = new PackingBound(model, units, kinds, prices).Raise(bounds.BottleneckSeconds, optimum * (1 + random.NextDouble()), new WorkBudget(TimeSpan.FromMilliseconds(10), TimeProvider.System, default));
            Assert.That(bound, Is.LessThanOrEqualTo(optimum * (1 + 1e-9)), $"seed {seed}");
            problems++;
            within += bound >= optimum * 0.9 ? 1 : 0;
        });
        Assert.That(within, Is.GreaterThan(problems / 3));
    }

    [Test]
    public void Packing_givesFeasiblePlansOnly()
    {
        ForEach(3, (seed, random, model, units, kinds) =>
        {
            var state = new SearchState(model, units);
            var incumbent = new Incumbent();
            if (!FeasibilityRepair.Start(state, LayerwiseSplit.Of(state)))
                return;
            incumbent.OfferBetter(state);
            double before = incumbent.Objective;
            var bounds = new LowerBounds(model, units, kinds);
            double[] prices = [.. Enumerable.Range(0, units.Count).Select(bounds.CheapestPriced)];
            new DevicePacking(state, kinds, prices).Run(incumbent, bounds.BottleneckSeconds, new WorkBudget(TimeSpan.FromMilliseconds(10), TimeProvider.System, default));
            PlanEvaluation evaluation = new PlanEvaluator(model.Problem).Evaluate(incumbent.Assignment);
            Assert.That(evaluation.IsFeasible, $"seed {seed}");
            Assert.That(evaluation.Objective, Is.EqualTo(incumbent.Objective).Within(1e-9).Percent.And.LessThanOrEqualTo(before * (1 + 1e-9)), $"seed {seed}");
        });
    }

    private static void ForEach(int block, Action<int, Random, PlacementModel, PlacementUnits, DeviceKinds> check)
    {
        for (int seed = block * Block; seed < (block + 1) * Block; seed++)
        {
            var model = new PlacementModel(RandomProblems.Create(seed, mostLayers: 6, mostDevices: 3, objective: PlanObjective.Throughput));
            PlacementUnits units;
            try
            {
                units = new PlacementUnits(model);
            }
            catch (EdgeSplitException)
            {
                continue;
            }
            check(seed, new Random(seed), model, units, new DeviceKinds(model, units));
        }
    }
}
