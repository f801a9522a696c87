using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class PlanFileTests
{
    private static readonly PartitionProblem Problem = new()
    {
        Graph = PlanningGraph.Chain(3),
        Fleet = new Fleet([new Device { Id = "a" }, new Device { Id = "b" }, new Device { Id = "c" }]),
        CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        Constraints = new PlanConstraints { MaximumReplicas = 2 },
    };

    private readonly TemporaryFolder _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Read_gives_what_was_written_with_routes_where_there_are_several()
    {
        PlanFile.Write(_folder["one.json"], new PlanEvaluator(Problem).Create([0, 1, 1], "test"));
        LayerAssignment one = PlanFile.Read(_folder["one.json"], Problem.Graph);
        Assert.That(Ids(one, one.Devices), Is.EqualTo("abb"));
        Assert.That(one.Routes, Is.Empty);

        PlanFile.Write(_folder["two.json"], new PlanEvaluator(Problem).Create([new PlanRoute(0.75, [0, 1, 1]), new PlanRoute(0.25, [0, 2, 2])], "test"));
        LayerAssignment two = PlanFile.Read(_folder["two.json"], Problem.Graph);
        Assert.That(Ids(two, two.Devices), Is.EqualTo("abb"));
        Assert.That(two.Routes.Select(route => (route.Share, Ids(two, route.Assignment))), Is.EqualTo(new[] { (0.75, "abb"), (0.25, "acc") }));
    }

    [TestCase("""{ "share": 1, "moved": { "layer9": "a" } }""", "layer9")]
    [TestCase("""{ "share": 0.5 }""", "add up to 0.5")]
    [TestCase("""{ "share": -1 }""", "-1")]
    public void Read_says_what_is_wrong_with_a_route(string route, string mention)
    {
        string path = _folder[$"{mention.GetHashCode(StringComparison.Ordinal)}.json"];
        File.WriteAllText(path, $$"""{ "format": "edgesplit.plan/1", "assignment": { "layer0": "a", "layer1": "a", "layer2": "a" }, "routes": [{{route}}] }""");
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => PlanFile.Read(path, Problem.Graph));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.InvalidArgument));
        Assert.That(exception.Message, Does.Contain(mention));
    }

    private static string Ids(LayerAssignment plan, ImmutableArray<int> devices) => string.Concat(devices.Select(device => plan.DeviceIds[device]));
}
