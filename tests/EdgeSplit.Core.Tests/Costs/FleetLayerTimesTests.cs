using System.Collections.Immutable;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Costs;

public sealed class FleetLayerTimesTests
{
    [Test]
    public void Layer_times_of_a_fleet_file_come_back_and_are_refused_for_another_model()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "fleet.json");
        var times = ImmutableDictionary<string, ImmutableArray<double>>.Empty.Add("a", [0.5, 0.25]);
        var fleet = new FleetDescription(new Fleet([new Device { Id = "a" }, new Device { Id = "b" }]), -1)
        {
            LayerSeconds = ImmutableDictionary<string, ImmutableDictionary<string, ImmutableArray<double>>>.Empty.Add("small", times),
        };
        FleetFile.Write(path, fleet);

        FleetDescription read = FleetFile.Read(path);
        Assert.That(read.LayerSecondsOf(Graph("small", 2))["a"], Is.EqualTo([0.5, 0.25]));
        Assert.That(read.LayerSecondsOf(Graph("other", 2)), Is.Empty);
        Assert.That(() => read.LayerSecondsOf(Graph("small", 3)), Throws.InstanceOf<EdgeSplitException>().With.Message.Contains("fleet probe"));
    }

    private static ModelGraph Graph(string name, int layers)
    {
        var graph = new PlanningGraph();
        int value = graph.Input(1);
        for (int i = 0; i < layers; i++)
            value = graph.Layer(1, [value], 1, isOutput: i == layers - 1);
        return graph.Build(name);
    }
}
