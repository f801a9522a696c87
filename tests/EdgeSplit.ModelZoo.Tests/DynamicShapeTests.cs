using EdgeSplit.Tests;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>Sizes that are only known at run time, and what they must not change.</summary>
public sealed class DynamicShapeTests
{
    [TestCase("bert-mini", "batch=1,sequence=1")]
    [TestCase("bert-mini", "batch=3,sequence=512")]
    [TestCase("bert-tiny", "batch=2,sequence=37")]
    [TestCase("mobilenetv2", "batch=2")]
    [TestCase("yolo", "batch=2")]
    [TestCase("gpt-mini", "batch=2,sequence=9,past_sequence=0,past_sequence + sequence=9")]
    [TestCase("gpt-mini", "batch=1,sequence=4,past_sequence=3,past_sequence + sequence=7")]
    public void Run_otherSizes_givesOutputsOfThoseSizes(string name, string sizes)
    {
        ZooEntry entry = Zoo.Get(name);
        var dimensions = sizes.Split(',').Select(static part => part.Split('=')).ToDictionary(static part => part[0], static part => long.Parse(part[1]));
        using var folder = new TemporaryFolder();
        entry.Write(folder["model.onnx"]);
        using var session = new ModelSession(folder["model.onnx"]);

        var results = session.Run(entry, seed: 3, dimensions);
        foreach (var output in entry.Outputs)
            Assert.That(results[output.Name].Shape, Is.EqualTo(ModelSession.ShapeOf(output, dimensions)), output.Name);
    }

    [Test]
    public void Run_bertWithPaddedText_ignoresThePadding([Values("bert-mini", "bert-tiny")] string name)
    {
        using var folder = new TemporaryFolder();
        Zoo.Get(name).Write(folder["model.onnx"]);
        using var session = new ModelSession(folder["model.onnx"]);

        float[] plain = Pooled([101, 2054, 2003, 102], [1, 1, 1, 1]);
        Assert.That(Pooled([101, 2054, 2003, 102, 7, 8], [1, 1, 1, 1, 0, 0]), Is.EqualTo(plain).Within(1e-4f));
        Assert.That(Pooled([101, 2054, 2003, 102, 7, 8], [1, 1, 1, 1, 1, 1]), Is.Not.EqualTo(plain).Within(1e-2f));

        float[] Pooled(long[] ids, long[] mask) => session.Run(new Dictionary<string, OrtValue>
        {
            ["input_ids"] = ModelSession.ValueOf(ids, 1, ids.Length),
            ["attention_mask"] = ModelSession.ValueOf(mask, 1, mask.Length),
            ["token_type_ids"] = ModelSession.ValueOf(new long[ids.Length], 1, ids.Length),
        })["pooler_output"].Values;
    }

    [Test]
    public void Run_gptTokenByToken_equalsAllTokensAtOnce()
    {
        ZooEntry entry = Zoo.Get("gpt-mini");
        using var folder = new TemporaryFolder();
        entry.Write(folder["model.onnx"]);
        using var session = new ModelSession(folder["model.onnx"]);
        long[] tokens = [11, 4711, 99, 3, 2500, 42];
        int vocabulary = (int)entry.Outputs[0].Dimensions[^1].Size!.Value;

        float[] atOnce = Step(session, tokens, 0, static _ => ([1L, 8, 0, 32], []))["logits"].Values;
        Func<string, (long[] Shape, float[] Values)> past = static _ => ([1L, 8, 0, 32], []);
        for (int i = 0; i < tokens.Length; i++)
        {
            var results = Step(session, [tokens[i]], i, past);
            Assert.That(results["logits"].Values, Is.EqualTo(atOnce[(i * vocabulary)..((i + 1) * vocabulary)]).Within(1e-4f), $"token {i}");
            past = name => results[name.Replace("past_key_values", "present")];
        }

        IReadOnlyDictionary<string, (long[] Shape, float[] Values)> Step(
            ModelSession model, long[] ids, int pastLength, Func<string, (long[] Shape, float[] Values)> pastOf)
        {
            var feeds = new Dictionary<string, OrtValue> { ["input_ids"] = ModelSession.ValueOf(ids, 1, ids.Length) };
            long[] mask = [.. Enumerable.Repeat(1L, pastLength + ids.Length)];
            feeds["attention_mask"] = ModelSession.ValueOf(mask, 1, mask.Length);
            foreach (string name in model.Inputs.Keys.Where(static name => name.StartsWith("past_key_values")))
                feeds[name] = ModelSession.ValueOf(pastOf(name).Values, pastOf(name).Shape);
            return model.Run(feeds);
        }
    }
}
