using EdgeSplit.ModelZoo.Language;
using EdgeSplit.ModelZoo.Vision;
using EdgeSplit.Tensors;

namespace EdgeSplit.ModelZoo.Tests;

public sealed class ZooTests
{
    /// <summary>torchvision's model pages, the U-Net and YOLOv5 repositories' model summaries, and the model cards of google-bert.</summary>
    [TestCase("vgg16", 138_357_544)]
    [TestCase("resnet18", 11_689_512)]
    [TestCase("resnet50", 25_557_032)]
    [TestCase("mobilenetv2", 3_504_872)]
    [TestCase("densenet121", 7_978_856)]
    [TestCase("inception", 6_624_904)]
    [TestCase("unet", 31_037_633)]
    [TestCase("yolo", 7_235_389)]
    [TestCase("bert-base", 109_482_240)]
    [TestCase("bert-mini", 11_170_560)]
    [TestCase("bert-tiny", 4_385_920)]
    public void ParameterCount_publishedTopology_isThePublishedCount(string name, long published) =>
        Assert.That(Zoo.Get(name).ParameterCount, Is.EqualTo(published));

    [Test]
    public void GptDecoder_atTheSizesOfGpt2_hasItsParameters() =>
        Assert.That(GptDecoder.Build("gpt2", GptConfiguration.Gpt2Small).ParameterCount, Is.EqualTo(124_439_808));

    [Test]
    public void YoloDetector_atTheSizesOfYolov5n_hasItsParameters() =>
        Assert.That(YoloDetector.Build("yolov5n", widthDivisor: 4).ParameterCount, Is.EqualTo(1_872_157));

    [Test]
    public void Entries_all_haveDistinctNamesAndASizeForEachSymbol()
    {
        Assert.That(Zoo.Entries.Select(static entry => entry.Name), Is.Unique);
        foreach (ZooEntry entry in Zoo.Entries)
        {
            IEnumerable<string> symbols = entry.Inputs.Concat(entry.Outputs)
                .SelectMany(static info => info.Dimensions).Select(static dimension => dimension.Symbol).OfType<string>().Distinct();
            Assert.That(entry.TypicalDimensions.Keys, Is.EquivalentTo(symbols), entry.Name);
        }
    }

    [Test]
    public void CreateInputs_ids_fillTheirRangeAndRepeatBySeed()
    {
        ZooEntry entry = Zoo.Get("bert-tiny");
        Dictionary<string, long[]> inputs = Created(), again = Created();
        long[] ids = inputs["input_ids"];
        Assert.That(ids, Has.Length.EqualTo(4500).And.All.InRange(0, 30521));
        Assert.That(ids.Max(), Is.GreaterThan(30_000));
        Assert.That(inputs["attention_mask"], Is.All.EqualTo(1));
        Assert.That(inputs["token_type_ids"].Distinct(), Is.EquivalentTo(new long[] { 0, 1 }));
        Assert.That(again["input_ids"], Is.EqualTo(ids));

        Dictionary<string, long[]> Created() => entry.CreateInputs(seed: 1, new Dictionary<string, long> { ["batch"] = 9, ["sequence"] = 500 })
            .ToDictionary(static pair => pair.Key, static pair => Elements(pair.Value));

        static long[] Elements(Tensor tensor)
        {
            using (tensor)
                return tensor.AsSpan<long>().ToArray();
        }
    }

    [Test]
    public void CreateInputs_sizeMissing_saysWhich()
    {
        EdgeSplitException? failure = Assert.Throws<EdgeSplitException>(
            static () => Zoo.Get("bert-tiny").CreateInputs(dimensions: new Dictionary<string, long> { ["batch"] = 1 }));
        Assert.That(failure!.Error, Is.EqualTo(EdgeSplitError.InvalidArgument));
        Assert.That(failure.Message, Does.Contain("'sequence'").And.Contain("input_ids"));
    }

    [Test]
    public void Get_unknownName_saysWhichNamesThereAre()
    {
        EdgeSplitException? failure = Assert.Throws<EdgeSplitException>(static () => Zoo.Get("alexnet"));
        Assert.That(failure!.Error, Is.EqualTo(EdgeSplitError.NotFound));
        Assert.That(failure.Message, Does.Contain("alexnet").And.Contain("resnet50").And.Contain("large-external"));
    }

    [Test]
    public void LargeExternal_statedSize_isReachedAndHardlyPassed([Values(1, 10_000_000, 3_000_000_000, 40_000_000_000)] long weightBytes)
    {
        ZooEntry entry = Zoo.LargeExternal(weightBytes);
        Assert.That(entry.WeightBytes, Is.InRange(weightBytes, (weightBytes * 1.15) + 100_000));
        Assert.That(entry.Inputs.Single().ElementType, Is.EqualTo(TensorElementType.Float));
    }
}
