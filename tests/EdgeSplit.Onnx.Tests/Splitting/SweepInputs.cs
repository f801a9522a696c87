using System.Collections.Immutable;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Tests.Splitting;

/// <summary>Inputs for models that accept less than what they declare, and so do not run on any random ones.</summary>
internal static class SweepInputs
{
    public static SplitVerifierOptions For(string model, string? dataFolder)
    {
        var options = new SplitVerifierOptions { DataFolder = dataFolder };
        return model switch
        {
            "silero-vad" => options with
            {
                Inputs = Values(("input", Tensor.Create<float>([.. Enumerable.Range(0, 512).Select(static i => MathF.Sin(i * 0.1f))], new TensorShape(1, 512))),
                    ("state", Tensor.Create<float>(new float[256], new TensorShape(2, 1, 128))),
                    ("sr", Tensor.Create<long>([16000], new TensorShape()))),
            },
            "ort-gh-issue-29071-if-constant-folding" => options with { FreeDimensions = new Dictionary<string, long> { ["unk__14"] = 20, ["unk__17"] = 20 } },
            "tiny-gpt2-beamsearch" => options with
            {
                FreeDimensions = new Dictionary<string, long> { ["sequence_length"] = 4 },
                Inputs = Values(("max_length", Int32(12)), ("min_length", Int32(1)), ("num_beams", Int32(4)), ("num_return_sequences", Int32(2)),
                    ("length_penalty", Tensor.Create<float>([1f], new TensorShape(1))), ("repetition_penalty", Tensor.Create<float>([1f], new TensorShape(1)))),
            },
            _ => options,
        };
    }

    private static ImmutableDictionary<string, Tensor> Values(params (string Name, Tensor Value)[] values) =>
        values.ToImmutableDictionary(static pair => pair.Name, static pair => pair.Value);

    private static Tensor Int32(int value) => Tensor.Create<int>([value], new TensorShape(1));
}
