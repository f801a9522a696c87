using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Profiling;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Runtime.Profiling;

public sealed class NodeOwnersTests
{
    /// <summary>x → a → b → c, each tensor of a layer of its own.</summary>
    private static readonly GraphProto Original = Graph(Node("Conv", ["x", "w"], ["a"]), Node("Clip", ["a"], ["b"]), Node("Softmax", ["b"], ["c"]));

    private static readonly Dictionary<string, int> LayerOfTensor = new() { ["a"] = 0, ["b"] = 1, ["c"] = 2 };

    [Test]
    public void Find_fused_node_belongs_to_all_the_layers_it_does_the_work_of()
    {
        GraphProto optimized = Graph(Named("fused 17", Node("FusedConv", ["x", "w"], ["b"])), Named("other", Node("Softmax", ["b"], ["c"])));

        IReadOnlyDictionary<string, IReadOnlySet<int>> owners = NodeOwners.Find(Original, optimized, LayerOfTensor);

        Assert.That(owners["fused 17"], Is.EquivalentTo(new[] { 0, 1 }));
        Assert.That(owners["other"], Is.EquivalentTo(new[] { 2 }));
    }

    [Test]
    public void Find_blocked_layout_is_known_by_the_tensor_in_its_name()
    {
        GraphProto optimized = Graph(
            Named("reorder_in", Node("ReorderInput", ["x"], ["token_0"])),
            Named("a_nchwc", Node("Conv", ["token_0"], ["token_1"])),
            Named("b_nchwc_5", Node("Clip", ["token_1"], ["token_2"])),
            Named("reorder_out", Node("ReorderOutput", ["token_2"], ["c"])));

        IReadOnlyDictionary<string, IReadOnlySet<int>> owners = NodeOwners.Find(Original, optimized, LayerOfTensor);

        Assert.That(owners.Select(static pair => $"{pair.Key} {string.Join(' ', pair.Value)}"), Is.EquivalentTo(new[] { "reorder_in 0", "a_nchwc 0", "b_nchwc_5 1", "reorder_out 2" }));
    }

    [Test]
    public void Find_node_that_nobody_knows_belongs_to_its_reader_or_else_its_maker()
    {
        GraphProto optimized = Graph(
            Named("first", Node("Cast", ["x"], ["t"])),
            Named("known", Node("Conv", ["t"], ["a"])),
            Named("last", Node("Cast", ["a"], ["u"])),
            Named("alone", Node("Cast", ["z"], ["v"])));

        IReadOnlyDictionary<string, IReadOnlySet<int>> owners = NodeOwners.Find(Original, optimized, LayerOfTensor);

        Assert.That(owners.Keys, Is.EquivalentTo(new[] { "first", "known", "last" }));
        Assert.That(owners.Values, Is.All.EquivalentTo(new[] { 0 }));
    }

    [Test]
    public void Find_node_that_kept_its_name_is_known_whatever_it_makes()
    {
        GraphProto optimized = Graph(Named("node_b", Node("Clip", ["q"], ["renamed"])));

        Assert.That(NodeOwners.Find(Original, optimized, LayerOfTensor)["node_b"], Does.Contain(1));
    }

    private static GraphProto Graph(params NodeProto[] nodes)
    {
        var graph = new GraphProto();
        graph.Node.AddRange(nodes);
        return graph;
    }

    private static NodeProto Named(string name, NodeProto node)
    {
        node.Name = name;
        return node;
    }
}
