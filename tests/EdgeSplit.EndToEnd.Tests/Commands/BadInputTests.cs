using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Commands;

/// <summary>Whatever is wrong with what a user gives, the command says so in one line and ends with the right code.</summary>
internal sealed class BadInputTests
{
    private const int Failed = 1;
    private const int BadUsage = 2;

    [TestCase("inspect")]
    [TestCase("verify")]
    public async Task Command_noSuchFile_fails(string verb) =>
        await ExpectAsync(Failed, "does-not-exist.onnx", verb, "/tmp/does-not-exist.onnx");

    [Test]
    public async Task Inspect_notAnOnnxFile_fails()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["text.onnx"], "This is a text, not a model.");
        await ExpectAsync(Failed, "text.onnx", "inspect", folder["text.onnx"]);
    }

    [Test]
    public async Task Inspect_truncatedModel_fails()
    {
        using var folder = new TemporaryFolder();
        string model = BertTiny(folder);
        byte[] whole = await File.ReadAllBytesAsync(model);
        await File.WriteAllBytesAsync(folder["cut.onnx"], whole[..(whole.Length / 2)]);
        await ExpectAsync(Failed, "cut.onnx", "inspect", folder["cut.onnx"]);
    }

    [Test]
    public async Task Split_unknownTensor_failsAndWritesNothing()
    {
        using var folder = new TemporaryFolder();
        await ExpectAsync(Failed, "no_such_tensor", "split", BertTiny(folder), "--at", "no_such_tensor", "--out", folder["out"]);
        Assert.That(Directory.Exists(folder["out"]), Is.False);
    }

    [TestCase("--stages", "0")]
    [TestCase("--stages", "many")]
    [TestCase("--no-such-option")]
    public async Task Split_badOption_isBadUsage(params string[] options)
    {
        using var folder = new TemporaryFolder();
        await ExpectAsync(BadUsage, options[0], ["split", BertTiny(folder), "--out", folder["out"], .. options]);
    }

    [Test]
    public async Task Split_withoutStagesOrAt_isBadUsage()
    {
        using var folder = new TemporaryFolder();
        await ExpectAsync(BadUsage, "--stages", "split", BertTiny(folder), "--out", folder["out"]);
    }

    [Test]
    public async Task Split_moreStagesThanLayers_fails()
    {
        using var folder = new TemporaryFolder();
        await ExpectAsync(Failed, "stages", "split", BertTiny(folder), "--stages", "100000", "--out", folder["out"]);
    }

    [Test]
    public async Task Run_agentThatIsNotThere_fails()
    {
        using var folder = new TemporaryFolder();
        // Port 1 of loopback is reserved and answers at once that nobody listens.
        await ExpectAsync(Failed, "127.0.0.1:1", "run", BertTiny(folder), "--agent", "127.0.0.1:1");
    }

    [Test]
    public async Task Run_agentAddressWithoutPort_isBadUsage()
    {
        using var folder = new TemporaryFolder();
        await ExpectAsync(BadUsage, "localhost", "run", BertTiny(folder), "--agent", "localhost");
    }

    [TestCase("a b", "agent", "--listen", "127.0.0.1:0", "--id", "a b")]
    [TestCase("empty", "inspect", "")]
    public async Task Command_aValueThatCannotBe_isBadUsage(string mention, params string[] arguments) => await ExpectAsync(BadUsage, mention, arguments);

    [Test]
    public async Task NoCommand_isBadUsage() => await ExpectAsync(BadUsage, "");

    [Test]
    public async Task Verify_modelThatOnnxRuntimeRejects_fails()
    {
        string model = TestData.Require("models", "neg-unknown-custom-op", "model.onnx");
        await ExpectAsync(Failed, "model.onnx", "verify", model);
    }

    private static string BertTiny(TemporaryFolder folder)
    {
        string path = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(path);
        return path;
    }

    private static async Task ExpectAsync(int exitCode, string mention, params string[] arguments)
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(arguments);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(exitCode), outcome.Output + outcome.Error);
            Assert.That(outcome.Error, Does.Contain(mention));
            Assert.That(outcome.Error, Does.Not.Contain("   at "), "a stack trace");
        }
    }
}
