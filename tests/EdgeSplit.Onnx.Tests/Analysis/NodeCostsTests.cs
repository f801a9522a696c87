using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx.Analysis;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Analysis;

public sealed class NodeCostsTests
{
    [Test]
    public void Estimate_convolution_counts_two_for_each_weight_of_each_output()
    {
        NodeProto node = Node("Conv", ["x", "w", "b"], ["y"], Ints("kernel_shape", 3, 3));

        NodeCost cost = Estimate(node, ("x", [1, 64, 56, 56]), ("w", [128, 64, 3, 3]), ("b", [128]), ("y", [1, 128, 56, 56]));

        Assert.That(cost.FloatOperations, Is.EqualTo(128.0 * 56 * 56 * (2 * 64 * 9 + 1)));
    }

    [Test]
    public void Estimate_grouped_convolution_counts_the_filter_of_its_group_only()
    {
        NodeProto node = Node("Conv", ["x", "w"], ["y"], Int("group", 32));

        NodeCost cost = Estimate(node, ("x", [1, 32, 10, 10]), ("w", [32, 1, 3, 3]), ("y", [1, 32, 10, 10]));

        Assert.That(cost.FloatOperations, Is.EqualTo(32.0 * 100 * 18));
    }

    [Test]
    public void Estimate_transposed_convolution_counts_from_the_input()
    {
        NodeProto node = Node("ConvTranspose", ["x", "w"], ["y"]);

        NodeCost cost = Estimate(node, ("x", [1, 16, 8, 8]), ("w", [16, 4, 2, 2]), ("y", [1, 4, 16, 16]));

        Assert.That(cost.FloatOperations, Is.EqualTo(2.0 * 16 * 64 * 16));
    }

    [TestCase(0, 10, 20)]
    [TestCase(1, 20, 10)]
    public void Estimate_gemm_takes_the_inner_size_from_the_right_side(long transposed, long rows, long columns)
    {
        NodeProto node = Node("Gemm", ["x", "w", "c"], ["y"], Int("transB", transposed));

        NodeCost cost = Estimate(node, ("x", [3, 10]), ("w", [rows, columns]), ("c", [20]), ("y", [3, 20]));

        Assert.That(cost.FloatOperations, Is.EqualTo(60.0 * (20 + 1)));
    }

    [Test]
    public void Estimate_batched_matrix_product_counts_every_batch()
    {
        NodeCost cost = Estimate(Node("MatMul", ["a", "b"], ["y"]), ("a", [2, 12, 128, 64]), ("b", [2, 12, 64, 128]), ("y", [2, 12, 128, 128]));

        Assert.That(cost.FloatOperations, Is.EqualTo(2.0 * 24 * 128 * 64 * 128));
        Assert.That(cost.TrafficBytes, Is.EqualTo(4L * 24 * (2 * 128 * 64 + 128 * 128)));
    }

    [Test]
    public void Estimate_einsum_equals_the_matrix_product_it_writes()
    {
        var equation = Text("equation", "bhid,bhjd->bhij");
        NodeCost cost = Estimate(Node("Einsum", ["a", "b"], ["y"], equation), ("a", [2, 3, 5, 7]), ("b", [2, 3, 11, 7]), ("y", [2, 3, 5, 11]));

        Assert.That(cost.FloatOperations, Is.EqualTo(2.0 * 2 * 3 * 5 * 11 * 7));
    }

    [Test]
    public void Estimate_einsum_with_ellipsis_counts_the_hidden_dimensions()
    {
        NodeCost cost = Estimate(Node("Einsum", ["a", "b"], ["y"], Text("equation", "...ij, jk -> ...ik")), ("a", [2, 3, 5, 7]), ("b", [7, 11]), ("y", [2, 3, 5, 11]));

        Assert.That(cost.FloatOperations, Is.EqualTo(2.0 * 2 * 3 * 5 * 7 * 11));
    }

    [Test]
    public void Estimate_lstm_counts_four_gates_for_each_direction()
    {
        NodeProto node = Node("LSTM", ["x", "w", "r"], ["y"], Int("hidden_size", 16));

        NodeCost cost = Estimate(node, ("x", [10, 1, 8]), ("w", [2, 64, 8]), ("r", [2, 64, 16]), ("y", [10, 2, 1, 16]));

        Assert.That(cost.FloatOperations, Is.EqualTo(10.0 * 2 * 4 * 16 * (2 * 24 + 10)));
    }

    [Test]
    public void Estimate_fused_attention_counts_projection_and_both_products()
    {
        NodeProto node = Node("Attention", ["x", "w", "b"], ["y"], Int("num_heads", 12));
        node.Domain = "com.microsoft";

        NodeCost cost = Estimate(node, ("x", [1, 128, 768]), ("w", [768, 2304]), ("b", [2304]), ("y", [1, 128, 768]));

        double products = 2.0 * 128 * 768 * 2304 + 2 * 2.0 * 128 * 128 * 768;
        Assert.That(cost.FloatOperations, Is.EqualTo(products).Within(0.01).Percent.Or.EqualTo(products + 16.0 * 12 * 128 * 128));
    }

    [Test]
    public void Estimate_weights_are_no_traffic()
    {
        NodeCost cost = NodeCosts.Estimate(Node("MatMul", ["x", "w"], ["y"]), Shapes(("x", [1, 10]), ("w", [10, 20]), ("y", [1, 20])), static name => name == "w");

        Assert.That(cost.TrafficBytes, Is.EqualTo(4 * 30));
    }

    [Test]
    public void Estimate_reshape_costs_nothing()
    {
        NodeCost cost = Estimate(Node("Reshape", ["x", "s"], ["y"]), ("x", [4, 4]), ("s", [1]), ("y", [16]));

        Assert.That(cost, Is.EqualTo(default(NodeCost)));
    }

    [Test]
    public void Estimate_if_counts_the_dearer_branch()
    {
        GraphProto small = Branch(Node("Relu", ["x"], ["r"])), large = Branch(Node("MatMul", ["x", "x"], ["r"]));

        NodeCost cost = Estimate(Node("If", ["c"], ["y"], Body("then_branch", small), Body("else_branch", large)), ("c", []), ("x", [8, 8]), ("r", [8, 8]), ("y", [8, 8]));

        Assert.That(cost.FloatOperations, Is.EqualTo(2.0 * 8 * 8 * 8));

        static GraphProto Branch(NodeProto node)
        {
            var body = new GraphProto();
            body.Node.Add(node);
            return body;
        }
    }

    [Test]
    public void Estimate_unknown_shapes_never_throws()
    {
        string[] operators = ["Conv", "Gemm", "MatMul", "Attention", "MultiHeadAttention", "LSTM", "Einsum", "ConvTranspose", "TopK", "QLinearConv", "Resize", "NoSuchOperator"];

        foreach (string name in operators)
            Assert.That(NodeCosts.Estimate(Node(name, ["a", "b", "c"], ["y"]), static _ => null), Is.EqualTo(default(NodeCost)), name);
    }

    // Published multiply-adds at 224 x 224: VGG-19 19.6 G (Simonyan, Zisserman 2015), ResNet-50 v1 3.8 to 4.1 G (He et al. 2016),
    // GoogLeNet "1.5 billion" (Szegedy et al. 2015, which rounds up).
    [TestCase("light-vgg19", 39.3e9, 0.01)]
    [TestCase("light-resnet50", 8.0e9, 0.05)]
    [TestCase("light-inception-v1", 3.0e9, 0.05)]
    public void Estimate_published_network_is_near_its_published_count(string name, double published, double tolerance)
    {
        string folder = TestData.Require("models", name);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, "model.onnx")));
        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, folder, new Dictionary<string, long>(), CancellationToken.None);

        double operations = model.Graph.Node.Sum(node => NodeCosts.Estimate(node, value => types.GetValueOrDefault(value)).FloatOperations);

        Assert.That(operations, Is.EqualTo(published).Within(100 * tolerance).Percent);
    }

    // Published multiply-adds: ResNet-18 1.8 G (He et al. 2016), MobileNetV2 0.3 G (Sandler et al. 2018).
    [TestCase("resnet18", 3.6e9, 0.03)]
    [TestCase("mobilenetv2", 0.6e9, 0.06)]
    public void Estimate_zoo_model_is_near_its_published_count(string name, double published, double tolerance)
    {
        using var folder = new TemporaryFolder();
        Zoo.Get(name).Write(folder["model.onnx"]);
        using OnnxModel model = OnnxModel.Open(folder["model.onnx"]);

        Assert.That(model.Graph.FloatOperations, Is.EqualTo(published).Within(100 * tolerance).Percent);
    }

    private static NodeCost Estimate(NodeProto node, params (string Name, long[] Sizes)[] shapes) => NodeCosts.Estimate(node, Shapes(shapes));

    private static Func<string, TensorInfo?> Shapes(params (string Name, long[] Sizes)[] shapes)
    {
        Dictionary<string, TensorInfo> byName = shapes.ToDictionary(
            static shape => shape.Name,
            static shape => new TensorInfo(shape.Name, TensorElementType.Float, [.. shape.Sizes.Select(static size => new Dimension(size))]));
        return byName.GetValueOrDefault;
    }
}
