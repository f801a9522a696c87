using EdgeSplit.ModelZoo.Graphs;

namespace EdgeSplit.ModelZoo.Language;

/// <summary>
/// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners") as exported for generation: keys
/// and values of the tokens so far come in and go out, and one embedding table serves both ends.
/// </summary>
internal static class GptDecoder
{
    private const float Epsilon = 1e-5f;
    /// <summary>The size of the axis that holds all tokens so far.</summary>
    public const string TotalLength = "past_sequence + sequence";

    public static ZooGraph Build(string name, GptConfiguration sizes)
    {
        var graph = new OnnxGraphBuilder(name);
        int headWidth = sizes.Width / sizes.Heads;
        Value ids = graph.IdInput("input_ids", "batch, sequence", new IdRange(0, sizes.Vocabulary));
        Value mask = graph.IdInput("attention_mask", $"batch, {TotalLength}", new IdRange(1, 2));
        var past = new (Value Key, Value Value)[sizes.Layers];
        for (int i = 0; i < sizes.Layers; i++)
            past[i] = (Past(i, "key"), Past(i, "value"));

        const string Root = "transformer";
        Value pastLength = graph.Size(past[0].Key, 2, Root);
        Value totalLength = graph.Add(pastLength, graph.Size(ids, 1, Root), Root);
        Value positions = Range(pastLength, totalLength);
        Value causal = graph.Node("LessOrEqual", Root, 0,
            [graph.Unsqueeze(Range(graph.Scalar(Root, 0), totalLength), Root, 0), graph.Unsqueeze(positions, Root, 1)]);
        Value padding = graph.AdditiveMask(mask, Root);

        Value words = graph.EmbeddingTable("transformer.wte", sizes.Vocabulary, sizes.Width);
        Value places = graph.EmbeddingTable("transformer.wpe", sizes.Positions, sizes.Width);
        Value x = graph.Add(
            graph.Lookup(words, ids, "transformer.wte", sizes.Width),
            graph.Lookup(places, graph.Unsqueeze(positions, Root, 0), "transformer.wpe", sizes.Width), Root);
        var present = new (Value Key, Value Value)[sizes.Layers];
        for (int i = 0; i < sizes.Layers; i++)
            x = Block(graph, sizes, x, past[i], out present[i], scores => Masked(scores, $"transformer.h.{i}.attn"), $"transformer.h.{i}");
        x = graph.LayerNorm(x, "transformer.ln_f", Epsilon);
        Value logits = graph.MatMul(x, graph.Transpose(words, "lm_head", sizes.Vocabulary, 1, 0), "lm_head", sizes.Vocabulary);

        graph.Output(logits, "logits", $"batch, sequence, {sizes.Vocabulary}");
        for (int i = 0; i < sizes.Layers; i++)
        {
            graph.Output(present[i].Key, $"present.{i}.key", $"batch, {sizes.Heads}, {TotalLength}, {headWidth}");
            graph.Output(present[i].Value, $"present.{i}.value", $"batch, {sizes.Heads}, {TotalLength}, {headWidth}");
        }
        return graph.Build();

        Value Past(int layer, string what) =>
            graph.Input($"past_key_values.{layer}.{what}", $"batch, {sizes.Heads}, past_sequence, {headWidth}", headWidth);

        Value Range(Value from, Value to) => graph.Node("Range", Root, 0, [from, to, graph.Scalar(Root, 1)]);

        Value Masked(Value scores, string module)
        {
            Value visible = graph.Node("Where", module, 0, [causal, scores, graph.Scalar(module, float.MinValue)]);
            return graph.Add(visible, padding, module);
        }
    }

    private static Value Block(
        OnnxGraphBuilder graph, GptConfiguration sizes, Value x, (Value Key, Value Value) past, out (Value Key, Value Value) present,
        Func<Value, Value> mask, string module)
    {
        string attn = $"{module}.attn";
        Value all = graph.Dense(graph.LayerNorm(x, $"{module}.ln_1", Epsilon), $"{attn}.c_attn", 3 * x.Width);
        Value[] parts = graph.Nodes("Split", attn, x.Width, 3, [all, graph.Constant(attn, x.Width, x.Width, x.Width)], Attributes.Int("axis", 2));
        Value query = graph.SplitHeads(parts[0], attn, sizes.Heads);
        present = (Append(past.Key, parts[1]), Append(past.Value, parts[2]));
        Value context = graph.JoinHeads(graph.Attention(query, present.Key, present.Value, attn, mask), attn, sizes.Heads);
        x = graph.Add(graph.Dense(context, $"{attn}.c_proj", x.Width), x, module);

        Value wide = graph.TanhGelu(graph.Dense(graph.LayerNorm(x, $"{module}.ln_2", Epsilon), $"{module}.mlp.c_fc", 4 * x.Width), $"{module}.mlp.act");
        return graph.Add(x, graph.Dense(wide, $"{module}.mlp.c_proj", x.Width), module);

        Value Append(Value before, Value now) =>
            graph.Node("Concat", attn, before.Width, [before, graph.SplitHeads(now, attn, sizes.Heads)], Attributes.Int("axis", -2));
    }
}
