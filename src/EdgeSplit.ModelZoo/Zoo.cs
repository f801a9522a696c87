using EdgeSplit.ModelZoo.Language;
using EdgeSplit.ModelZoo.Vision;

namespace EdgeSplit.ModelZoo;

/// <summary>
/// Models with the published topologies and parameter counts of well-known networks and seeded random weights: for
/// splitting, timing and testing where nothing can be downloaded. They compute real numbers but have learnt nothing.
/// </summary>
public static class Zoo
{
    private const long LargeExternalBytes = 3_000_000_000;

    private static readonly Dictionary<string, long> OneImage = new() { ["batch"] = 1 };
    private static readonly Dictionary<string, long> OneText = new() { ["batch"] = 1, ["sequence"] = 128 };

    private static readonly Dictionary<string, long> OneToken =
        new() { ["batch"] = 1, ["sequence"] = 1, ["past_sequence"] = 31, [GptDecoder.TotalLength] = 32 };

    /// <summary>All models.</summary>
    public static IReadOnlyList<ZooEntry> Entries { get; } =
    [
        new("vgg16", "VGG-16 image classifier: a chain of large layers", Vgg16.Build, OneImage),
        new("resnet18", "ResNet-18 image classifier", static name => ResNet.Build(name, [2, 2, 2, 2], bottleneck: false), OneImage),
        new("resnet50", "ResNet-50 v1.5 image classifier", static name => ResNet.Build(name, [3, 4, 6, 3], bottleneck: true), OneImage),
        new("mobilenetv2", "MobileNetV2 image classifier: depthwise convolutions, small layers", MobileNetV2.Build, OneImage),
        new("densenet121", "DenseNet-121 image classifier: many tensors cross each cut of a block", DenseNet121.Build, OneImage),
        new("inception", "GoogLeNet (Inception v1) image classifier: parallel branches", GoogLeNet.Build, OneImage),
        new("unet", "U-Net image segmentation: long skip connections, transposed convolutions", UNet.Build, OneImage),
        new("yolo", "YOLOv5s-style object detector: three outputs at strides 8, 16 and 32", static name => YoloDetector.Build(name, widthDivisor: 2), OneImage),
        new("bert-base", "BERT base text encoder with pooler, layer normalisation as nine operators",
            static name => BertEncoder.Build(name, new BertConfiguration(12, 768, 12) { DecomposedLayerNorm = true }), OneText),
        new("bert-mini", "BERT mini text encoder with pooler", static name => BertEncoder.Build(name, new BertConfiguration(4, 256, 4)), OneText),
        new("bert-tiny", "BERT tiny text encoder with pooler", static name => BertEncoder.Build(name, new BertConfiguration(2, 128, 2)), OneText),
        new("gpt-mini", "GPT-2-style decoder with keys and values of the past as inputs and outputs",
            static name => GptDecoder.Build(name, new GptConfiguration(6, 256, 8, Vocabulary: 5000, Positions: 512)), OneToken),
        LargeExternal(LargeExternalBytes),
    ];

    /// <summary>The model of that name.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: there is none; the message lists the names.</exception>
    public static ZooEntry Get(string name) => Entries.FirstOrDefault(entry => entry.Name == name)
        ?? throw new EdgeSplitException(EdgeSplitError.NotFound,
            $"The model zoo has no model '{name}'; it has {string.Join(", ", Entries.Select(static entry => entry.Name))}.");

    /// <summary>The model <c>large-external</c> in another size: 24 equal blocks whose weights are external data.</summary>
    /// <param name="weightBytes">The least size of all weights together, in bytes; the model is a little larger.</param>
    public static ZooEntry LargeExternal(long weightBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(weightBytes, 1);
        return new("large-external", $"A residual perceptron of {weightBytes:N0} bytes with its weights as external data",
            name => ResidualPerceptron.Build(name, weightBytes), OneImage, alwaysExternal: true);
    }
}
