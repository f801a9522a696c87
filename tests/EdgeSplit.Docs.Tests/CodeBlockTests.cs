using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;

namespace EdgeSplit.Docs.Tests;

/// <summary>Every C# block of the documentation compiles, and runs unless it says why not.</summary>
[NonParallelizable]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class CodeBlockTests : IDisposable
{
    private static readonly CodeBlock[] Blocks = [.. CodeBlock.ReadAll("csharp", "cs")];
    private readonly TemporaryFolder _folder = new();
    private readonly string _previous = Environment.CurrentDirectory;

    /// <summary>Blocks find <c>model.onnx</c>, which is ResNet-18, in the current folder, and its path as the first argument.</summary>
    [OneTimeSetUp]
    public void WriteModel()
    {
        Environment.CurrentDirectory = _folder.Path;
        Zoo.Get("resnet18").Write(_folder["model.onnx"]);
    }

    [TestCaseSource(nameof(Blocks))]
    public void CSharpBlock_runs(CodeBlock block)
    {
        byte[] program = DocumentProgram.Compile(block);
        if (block.NotRun is null)
            DocumentProgram.Run(program, [_folder["model.onnx"]]);
    }

    [Test]
    public void CSharpBlocks_thatAreOnlyCompiled_areRare() =>
        Assert.That(Blocks.Count(static block => block.NotRun is not null) * 5, Is.LessThanOrEqualTo(Blocks.Length));

    public void Dispose()
    {
        Environment.CurrentDirectory = _previous;
        _folder.Dispose();
    }
}
