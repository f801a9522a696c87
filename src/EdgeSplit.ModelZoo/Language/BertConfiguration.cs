namespace EdgeSplit.ModelZoo.Language;

/// <summary>The sizes of a BERT encoder; the feed-forward layer is four times as wide as the others.</summary>
internal sealed record BertConfiguration(int Layers, int Width, int Heads)
{
    public const int Vocabulary = 30522;
    public const int Positions = 512;
    public const int Segments = 2;

    /// <summary>Whether layer normalisation is nine operators, as in exports before operator set 17.</summary>
    public bool DecomposedLayerNorm { get; init; }
}
