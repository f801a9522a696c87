using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class FunctionTests
{
    [Test]
    public void Extract_part_has_the_functions_that_it_calls_and_no_others()
    {
        using var model = new SmallModel(ModelWithFunctions());

        Assert.That(model.Part(model.LayerOf("a")).Functions.Select(static function => function.Name), Is.EquivalentTo(["Outer", "Inner"]));
        Assert.That(model.Part(model.LayerOf("b")).Functions.Select(static function => function.Name + function.Overload), Is.EqualTo(["Innertwice"]));
        Assert.That(model.Part(model.LayerOf("y")).Functions, Is.Empty);
    }

    [Test]
    public void Extract_part_keeps_all_operator_set_imports()
    {
        using var model = new SmallModel(ModelWithFunctions());

        Assert.That(model.Part(model.LayerOf("y")).OpsetImport.Select(static set => set.Domain), Is.EquivalentTo(["", "mine"]));
    }

    [Test]
    public void Extract_functions_with_overloads_are_exact()
    {
        using var model = new SmallModel(ModelWithFunctions());

        model.ExpectExactAtEveryCut();
    }

    private static ModelProto ModelWithFunctions()
    {
        NodeProto outer = Node("Outer", ["x"], ["a"]);
        outer.Domain = "mine";
        NodeProto overloaded = Node("Inner", ["a"], ["b"]);
        overloaded.Domain = "mine";
        overloaded.Overload = "twice";
        ModelProto model = Model([outer, overloaded, Node("Tanh", ["b"], ["y"])],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "mine", Version = 1 });
        NodeProto inner = Node("Inner", ["p"], ["q"]);
        inner.Domain = "mine";
        model.Functions.Add(Function("Outer", "", inner, Node("Relu", ["q"], ["r"])));
        model.Functions.Add(Function("Inner", "", Node("Neg", ["p"], ["r"])));
        model.Functions.Add(Function("Inner", "twice", Node("Add", ["p", "p"], ["r"])));
        model.Functions.Add(Function("Unused", "", Node("Abs", ["p"], ["r"])));
        return model;
    }

    private static FunctionProto Function(string name, string overload, params NodeProto[] nodes)
    {
        var function = new FunctionProto { Domain = "mine", Name = name, Overload = overload, Input = { "p" }, Output = { "r" } };
        function.Node.AddRange(nodes);
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 21 });
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "mine", Version = 1 });
        return function;
    }
}
