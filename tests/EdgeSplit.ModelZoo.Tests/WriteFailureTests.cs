using EdgeSplit.Tests;

namespace EdgeSplit.ModelZoo.Tests;

public sealed class WriteFailureTests
{
    private static readonly ZooEntry Entry = Zoo.LargeExternal(1_000_000);

    [Test]
    public void Write_missingFolder_isNotFound()
    {
        using var folder = new TemporaryFolder();
        AssertFails(EdgeSplitError.NotFound, Entry, folder["missing/model.onnx"]);
        Assert.That(folder.FileNames(), Is.Empty);
    }

    [Test]
    public void Write_pathThatIsAFolder_isInvalidAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["model.onnx"]);
        AssertFails(EdgeSplitError.InvalidArgument, Entry, folder["model.onnx"]);
        Assert.That(folder.FileNames(), Is.EqualTo(new[] { "model.onnx" }));
    }

    [Test]
    public void Write_modelLargerThanTheDisk_isResourceExhaustedAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        AssertFails(EdgeSplitError.ResourceExhausted, Zoo.LargeExternal(1L << 50), folder["model.onnx"]);
        Assert.That(folder.FileNames(), Is.Empty);
    }

    [Test]
    public void Write_cancelledHalfWay_leavesTheOlderModel()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["model.onnx"], "older");
        using var cancellation = new CancellationTokenSource();
        var progress = new Progress(part =>
        {
            if (part > 0.5)
                cancellation.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => Entry.Write(folder["model.onnx"], 0, progress, cancellation.Token));
        Assert.That(folder.FileNames(), Is.EqualTo(new[] { "model.onnx" }));
        Assert.That(File.ReadAllText(folder["model.onnx"]), Is.EqualTo("older"));
    }

    [Test]
    public void Write_progress_risesToOne()
    {
        using var folder = new TemporaryFolder();
        List<double> parts = [];
        Entry.Write(folder["model.onnx"], progress: new Progress(parts.Add));
        Assert.That(parts, Is.Ordered.And.Count.GreaterThan(10));
        Assert.That(parts[^1], Is.EqualTo(1));
    }

    /// <summary>64 MiB of weights; the buffer is one, and the skeleton is small.</summary>
    [Test]
    public void Write_largeModel_allocatesLittle([Values("large-external", "bert-mini")] string name)
    {
        ZooEntry entry = name == "bert-mini" ? Zoo.Get(name) : Zoo.LargeExternal(64 << 20);
        using var folder = new TemporaryFolder();
        Assert.That(entry.WeightBytes, Is.GreaterThan(40_000_000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        entry.Write(folder["model.onnx"]);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(4_000_000));
    }

    private static void AssertFails(EdgeSplitError error, ZooEntry entry, string path)
    {
        EdgeSplitException? failure = Assert.Throws<EdgeSplitException>(() => entry.Write(path));
        Assert.That(failure!.Error, Is.EqualTo(error));
        Assert.That(failure.Message, Does.Contain(entry.Name).And.Contain(path));
    }

    /// <summary>Reports at once; <see cref="Progress{T}"/> reports on another thread.</summary>
    private sealed class Progress(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
