using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class ControlFlowTests
{
    [Test]
    public void Extract_if_captures_at_depth_become_inputs_of_the_part()
    {
        GraphProto inner = Branch("inner_out", Node("Add", ["a", "b"], ["inner_out"]));
        GraphProto innerElse = Branch("inner_else_out", Node("Sub", ["a", "c"], ["inner_else_out"]));
        GraphProto then = Branch("then_out", Node("If", ["cond"], ["then_out"], Body("then_branch", inner), Body("else_branch", innerElse)));
        GraphProto otherwise = Branch("else_out", Node("Mul", ["a", "w"], ["else_out"]));
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["a"]), Node("Exp", ["x"], ["b"]), Node("Neg", ["x"], ["c"]),
                Node("If", ["cond"], ["d"], Body("then_branch", then), Body("else_branch", otherwise)),
                Node("Abs", ["d"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "4"), Value("cond", TensorElementType.Bool)],
            [Value("y", TensorElementType.Float, "4")],
            RandomWeight("w", 1, 4)));

        var part = model.Opened.Extract([model.LayerOf("d")]);

        Assert.That(part.Inputs.Select(static input => input.Name), Is.EquivalentTo(["cond", "a", "b", "c"]));
        Assert.That(model.Part(model.LayerOf("d")).Graph.Initializer.Select(static tensor => tensor.Name), Is.EqualTo(["w"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_name_defined_in_a_body_hides_the_outer_one()
    {
        // Both graphs have a 'hidden'; the body's own is its initializer, so only 'b' is captured.
        GraphProto then = Branch("then_out", Node("Add", ["hidden", "b"], ["then_out"]));
        then.Initializer.Add(RandomWeight("hidden", 2, 4));
        GraphProto otherwise = Branch("else_out", Node("Identity", ["b"], ["else_out"]));
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["b"]), Node("Exp", ["x"], ["hidden"]), Node("Neg", ["hidden"], ["z"]),
                Node("If", ["cond"], ["y"], Body("then_branch", then), Body("else_branch", otherwise)),
            ],
            [Value("x", TensorElementType.Float, "4"), Value("cond", TensorElementType.Bool)],
            [Value("y", TensorElementType.Float, "4"), Value("z", TensorElementType.Float, "4")]));

        Assert.That(model.Opened.Extract([model.LayerOf("y")]).Inputs.Select(static input => input.Name), Is.EquivalentTo(["cond", "b"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_loop_that_captures_is_exact()
    {
        var body = new GraphProto { Name = "body" };
        body.Input.Add(Value("i", TensorElementType.Int64));
        body.Input.Add(Value("go", TensorElementType.Bool));
        body.Input.Add(Value("state", TensorElementType.Float, "4"));
        body.Node.Add(Node("Identity", ["go"], ["go_on"]));
        body.Node.Add(Node("Add", ["state", "step"], ["next"]));
        body.Node.Add(Node("Mul", ["next", "next"], ["scanned"]));
        body.Output.Add(Value("go_on", TensorElementType.Bool));
        body.Output.Add(Value("next", TensorElementType.Float, "4"));
        body.Output.Add(Value("scanned", TensorElementType.Float, "4"));
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["start"]), Node("Tanh", ["x"], ["step"]),
                Node("Loop", ["trips", "", "start"], ["last", "all"], Body("body", body)),
                Node("ReduceSum", ["all"], ["y"], Int("keepdims", 0)),
                Node("Neg", ["last"], ["z"]),
            ],
            [Value("x", TensorElementType.Float, "4")],
            [Value("y", TensorElementType.Float), Value("z", TensorElementType.Float, "4")],
            Weight<long>("trips", TensorElementType.Int64, [], 3)));

        Assert.That(model.Opened.Extract([model.LayerOf("last")]).Inputs.Select(static input => input.Name), Is.EquivalentTo(["start", "step"]));
        model.ExpectExactAtEveryCut();
    }

    private static GraphProto Branch(string output, params NodeProto[] nodes)
    {
        var graph = new GraphProto { Name = output };
        graph.Node.AddRange(nodes);
        graph.Output.Add(Value(output, TensorElementType.Float, "4"));
        return graph;
    }
}
