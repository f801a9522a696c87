namespace EdgeSplit.ModelZoo.Language;

/// <summary>The sizes of a GPT-2 decoder.</summary>
internal sealed record GptConfiguration(int Layers, int Width, int Heads, int Vocabulary, int Positions)
{
    /// <summary>The published GPT-2 "small" (Radford et al. 2019): 124,439,808 parameters.</summary>
    public static GptConfiguration Gpt2Small { get; } = new(12, 768, 12, 50257, 1024);
}
