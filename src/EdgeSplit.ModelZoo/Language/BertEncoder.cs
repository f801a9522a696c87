using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Language;

/// <summary>
/// BERT with its pooler (Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers"), in the layout and
/// names of the usual PyTorch export; the small sizes are those of Turc et al. 2019, "Well-Read Students Learn Better".
/// </summary>
internal static class BertEncoder
{
    private const float Epsilon = 1e-12f;

    public static ZooGraph Build(string name, BertConfiguration sizes)
    {
        var graph = new OnnxGraphBuilder(name);
        Value ids = graph.IdInput("input_ids", "batch, sequence", new IdRange(0, BertConfiguration.Vocabulary));
        Value mask = graph.IdInput("attention_mask", "batch, sequence", new IdRange(1, 2));
        Value segments = graph.IdInput("token_type_ids", "batch, sequence", new IdRange(0, BertConfiguration.Segments));

        Value additiveMask = graph.AdditiveMask(mask, "");
        Value x = Embeddings(graph, sizes, ids, segments);
        for (int i = 0; i < sizes.Layers; i++)
            x = Layer(graph, sizes, x, additiveMask, $"encoder.layer.{i}");

        Value first = graph.Node("Gather", "pooler", x.Width, [x, graph.Scalar("pooler", 0)], Attributes.Int("axis", 1));
        Value pooled = graph.Linear(first, "pooler.dense", x.Width);
        Value tanh = graph.Node("Tanh", "pooler.activation", x.Width, [pooled]);
        graph.Output(x, "last_hidden_state", $"batch, sequence, {sizes.Width}");
        graph.Output(tanh, "pooler_output", $"batch, {sizes.Width}");
        return graph.Build();
    }

    private static Value Embeddings(OnnxGraphBuilder graph, BertConfiguration sizes, Value ids, Value segments)
    {
        const string Module = "embeddings";
        Value words = Table("word_embeddings", BertConfiguration.Vocabulary, ids);
        Value kinds = Table("token_type_embeddings", BertConfiguration.Segments, segments);
        Value all = graph.Constant(Module, [.. Enumerable.Range(0, BertConfiguration.Positions).Select(static i => (long)i)]);
        Value length = graph.Unsqueeze(graph.Size(ids, 1, Module), Module, 0);
        Value used = graph.Node("Slice", Module, 0, [all, graph.Constant(Module, 0), length, graph.Constant(Module, 0)]);
        Value places = Table("position_embeddings", BertConfiguration.Positions, graph.Unsqueeze(used, Module, 0));
        Value sum = graph.Add(graph.Add(words, kinds, Module), places, Module);
        return Norm(graph, sizes, sum, $"{Module}.LayerNorm");

        Value Table(string table, int count, Value rows) =>
            graph.Lookup(graph.EmbeddingTable($"{Module}.{table}", count, sizes.Width), rows, $"{Module}.{table}", sizes.Width);
    }

    private static Value Layer(OnnxGraphBuilder graph, BertConfiguration sizes, Value x, Value mask, string module)
    {
        string self = $"{module}.attention.self";
        Value query = graph.SplitHeads(graph.Dense(x, $"{self}.query", x.Width), self, sizes.Heads);
        Value key = graph.SplitHeads(graph.Dense(x, $"{self}.key", x.Width), self, sizes.Heads);
        Value value = graph.SplitHeads(graph.Dense(x, $"{self}.value", x.Width), self, sizes.Heads);
        Value context = graph.Attention(query, key, value, self, scores => graph.Add(scores, mask, self));
        Value attended = graph.Dense(graph.JoinHeads(context, self, sizes.Heads), $"{module}.attention.output.dense", x.Width);
        x = Norm(graph, sizes, graph.Add(attended, x, $"{module}.attention.output"), $"{module}.attention.output.LayerNorm");

        Value wide = graph.Gelu(graph.Dense(x, $"{module}.intermediate.dense", 4 * x.Width), $"{module}.intermediate.intermediate_act_fn");
        Value narrow = graph.Dense(wide, $"{module}.output.dense", x.Width);
        return Norm(graph, sizes, graph.Add(narrow, x, $"{module}.output"), $"{module}.output.LayerNorm");
    }

    private static Value Norm(OnnxGraphBuilder graph, BertConfiguration sizes, Value x, string module) =>
        sizes.DecomposedLayerNorm ? graph.DecomposedLayerNorm(x, module, Epsilon) : graph.LayerNorm(x, module, Epsilon);
}
