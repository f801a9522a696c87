using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>Arithmetic of operators that are made of multiply-adds: matrix products, convolutions, attention, recurrences.</summary>
internal static class MatrixCosts
{
    /// <summary>Operations of a node, or null where the operator is none of these.</summary>
    public static double? Of(NodeValues node) => node.Operator switch
    {
        "Conv" or "ConvInteger" or "FusedConv" or "NhwcFusedConv" => Convolution(node, weightInput: 1, hasBias: node.HasInput(2) && node.Operator != "ConvInteger"),
        "QLinearConv" or "QGemmConv" => Convolution(node, weightInput: 3, hasBias: node.HasInput(8)),
        "ConvTranspose" => TransposedConvolution(node),
        "Gemm" or "FusedGemm" => Gemm(node, weightInput: 1, hasBias: node.HasInput(2)),
        "QGemm" => Gemm(node, weightInput: 3, hasBias: node.HasInput(6)),
        "MatMul" or "MatMulInteger" or "FusedMatMul" or "MatMulInteger16" or "DynamicQuantizeMatMul" or "MatMulIntegerToFloat"
            or "TransposeMatMul" or "QLinearMatMul" => MatrixProduct(node, node.Output(0)),
        "MatMulNBits" or "MatMulBnb4" => 2.0 * node.OutputElements(0) * node.Attribute("K", Last(node.Input(0))),
        "Attention" or "QAttention" when IsContrib(node) => FusedProjectionAttention(node),
        "Attention" => ScaledAttention(node, node.Input(0), node.Input(1), node.Input(2), node.HasInput(4) ? node.Input(4) : []),
        "MultiHeadAttention" => ScaledAttention(node, node.Input(0), node.Input(1), node.Input(2), node.HasInput(6) ? node.Input(6) : []),
        "GroupQueryAttention" => ScaledAttention(node, node.Input(0), node.Input(1), node.Input(2), node.HasInput(3) ? node.Input(3) : []),
        "LSTM" or "DynamicQuantizeLSTM" => Recurrence(node, gates: 4),
        "GRU" => Recurrence(node, gates: 3),
        "RNN" => Recurrence(node, gates: 1),
        "Einsum" => Einsum(node),
        _ => null,
    };

    /// <summary>Each output element takes one multiply-add for each weight of its filter.</summary>
    private static double Convolution(NodeValues node, int weightInput, bool hasBias)
    {
        ImmutableArray<long> weight = node.Input(weightInput);
        double filter = weight.Length > 1 ? Product(weight.AsSpan()[1..]) : 0;
        return node.OutputElements(0) * (2 * filter + (hasBias ? 1 : 0));
    }

    /// <summary>Each input element takes one multiply-add for each weight that it is spread by.</summary>
    private static double TransposedConvolution(NodeValues node)
    {
        ImmutableArray<long> weight = node.Input(1);
        double filter = weight.Length > 1 ? Product(weight.AsSpan()[1..]) : 0;
        return 2 * node.InputElements(0) * filter + (node.HasInput(2) ? node.OutputElements(0) : 0);
    }

    private static double Gemm(NodeValues node, int weightInput, bool hasBias)
    {
        ImmutableArray<long> weight = node.Input(weightInput);
        if (weight.Length != 2)
            return 0;
        long inner = node.Attribute("transB", 0) != 0 ? weight[1] : weight[0];
        return node.OutputElements(0) * (2.0 * inner + (hasBias ? 1 : 0));
    }

    private static double MatrixProduct(NodeValues node, ImmutableArray<long> output)
    {
        ImmutableArray<long> left = node.Input(0);
        if (left.IsEmpty)
            return 0;
        long inner = node.Attribute("transA", 0) != 0 && left.Length > 1 ? left[^2] : left[^1];
        return 2.0 * inner * Product(output.AsSpan());
    }

    /// <summary>The contributed Attention has the projection's weights as its second input; the standard one has keys there.</summary>
    private static bool IsContrib(NodeValues node) => node.Input(1).Length == 2;

    /// <summary>Projection of the input to queries, keys and values, then attention over the sequence and the past.</summary>
    private static double FusedProjectionAttention(NodeValues node)
    {
        ImmutableArray<long> input = node.Input(0);
        if (input.Length != 3)
            return 0;
        ImmutableArray<long> weight = node.Input(1);
        double batch = input[0], sequence = input[1], projected = weight[1], hidden = projected / 3;
        ImmutableArray<long> output = node.Output(0);
        if (output.Length == 3)
            hidden = output[2];
        ImmutableArray<long> present = node.Output(1);
        double attended = present.Length == 5 ? Math.Max(present[3], sequence) : sequence;
        return 2 * batch * sequence * input[2] * projected + AttentionOperations(batch, sequence, attended, hidden, hidden, node.Attribute("num_heads", 1));
    }

    /// <summary>Attention over given queries, keys and values: 3-D with all heads side by side, or 4-D with the heads second.</summary>
    private static double ScaledAttention(NodeValues node, ImmutableArray<long> query, ImmutableArray<long> key, ImmutableArray<long> value, ImmutableArray<long> pastKey)
    {
        if (query.Length is not (3 or 4))
            return 0;
        double past = pastKey.Length == 4 ? pastKey[2] : 0;
        double batch = query[0], sequence = query[^2];
        double heads = query.Length == 4 ? query[1] : node.Attribute("num_heads", node.Attribute("q_num_heads", 1));
        double queryWidth = query.Length == 4 ? query[1] * (double)query[3] : query[2];
        double attended = past + (key.Length >= 3 ? key[^2] : sequence);
        double valueWidth = value.Length == 4 && query.Length == 4 ? heads * value[3] : queryWidth;
        return AttentionOperations(batch, sequence, attended, queryWidth, valueWidth, heads);
    }

    private static double AttentionOperations(double batch, double sequence, double attended, double queryWidth, double valueWidth, double heads) =>
        batch * sequence * attended * (2 * queryWidth + 2 * valueWidth + 16 * heads);

    /// <summary>Per step and direction: gates × hidden × (input + hidden) multiply-adds and about ten operations for each gate's element.</summary>
    private static double Recurrence(NodeValues node, int gates)
    {
        ImmutableArray<long> input = node.Input(0);
        ImmutableArray<long> recurrent = node.Input(2);
        if (input.Length != 3 || recurrent.Length != 3)
            return 0;
        double directions = recurrent[0], hidden = node.Attribute("hidden_size", Math.Min(recurrent[1], recurrent[2]));
        double steps = (double)input[0] * input[1];
        return steps * directions * gates * hidden * (2 * (input[2] + hidden) + 10);
    }

    /// <summary>One multiply-add per combination of all the letters for each operand after the first.</summary>
    private static double Einsum(NodeValues node)
    {
        string equation = (node.AttributeText("equation") ?? "").Replace(" ", "", StringComparison.Ordinal);
        string[] terms = equation.Split("->")[0].Split(',');
        var sizes = new Dictionary<char, double>();
        double ellipsis = 1;
        for (int i = 0; i < terms.Length; i++)
        {
            ImmutableArray<long> shape = node.Input(i);
            int dots = terms[i].IndexOf("...", StringComparison.Ordinal);
            string letters = terms[i].Replace("...", "", StringComparison.Ordinal);
            int hidden = dots < 0 ? 0 : shape.Length - letters.Length;
            if (!node.HasInput(i) || hidden < 0 || (dots < 0 && letters.Length != shape.Length))
                return 0;
            for (int j = 0; j < letters.Length; j++)
                sizes[letters[j]] = Math.Max(sizes.GetValueOrDefault(letters[j], 1), shape[dots >= 0 && j >= dots ? j + hidden : j]);
            if (dots >= 0)
                ellipsis = Math.Max(ellipsis, Product(shape.AsSpan(dots, hidden)));
        }
        return 2 * Math.Max(terms.Length - 1, 1) * ellipsis * sizes.Values.Aggregate(1.0, static (product, size) => product * size);
    }

    private static long Last(ImmutableArray<long> sizes) => sizes.IsEmpty ? 0 : sizes[^1];

    private static double Product(ReadOnlySpan<long> sizes)
    {
        double product = 1;
        foreach (long size in sizes)
            product *= size;
        return product;
    }
}
