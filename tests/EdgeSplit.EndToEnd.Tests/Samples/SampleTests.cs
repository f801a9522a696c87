using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Samples;

/// <summary>Runs the samples as a user would, but for building them.</summary>
internal sealed class SampleTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private static IEnumerable<string> Names =>
        Directory.GetDirectories(Path.Combine(RepositoryRoot.Path, "samples")).Where(static folder => Directory.GetFiles(folder, "*.csproj").Length > 0).Select(static folder => Path.GetFileName(folder));

    [TestCaseSource(nameof(Names))]
    public void EverySample_tellsWhatItIs(string name) =>
        Assert.That(Path.Combine(RepositoryRoot.Path, "samples", name, "README.md"), Does.Exist);

    [Test]
    public async Task CustomPartitioner_run_splitsWithoutChangingTheResult() =>
        Assert.That(await RunAsync("CustomPartitioner"), Does.Contain("fewest bytes: 2 stages, the unsplit model's result: bit for bit"));

    [Test]
    public async Task OpenInferenceClient_run_getsTheSameBitsBothWays() =>
        Assert.That(await RunAsync("OpenInferenceClient"), Does.Contain("1000 results").And.Contain("the same bits"));

    [Test]
    public async Task ImageClassification_run_namesFiveClasses()
    {
        string output = await RunAsync("ImageClassification");
        Assert.That(output, Does.Contain("ball.png: 480 x 360, 2 stages"));
        Assert.That(output.Split("  class ").Length - 1, Is.EqualTo(5), output);
    }

    [Test]
    public async Task LiveAdaptation_run_switchesAndLosesNoRequest() =>
        Assert.That(await RunAsync("LiveAdaptation"), Does.Contain("AgentWent").And.Contain("Switched to plan").And.Contain(" 0 failed"));

    [Test]
    public async Task TwoMachines_run_splitsOverTwoProcesses()
    {
        using var folder = new TemporaryFolder();
        await RunAsync("TwoMachines", "secrets", folder.Path);
        await using DotnetProcess agent = DotnetProcess.Start([AssemblyOf("TwoMachines"), "agent", "127.0.0.1:0", folder.Path]);
        string line = await agent.WaitForLineAsync("listening on ", Limit);
        string output = await RunAsync("TwoMachines", "coordinator", line[(line.LastIndexOf(' ') + 1)..], folder.Path);
        Assert.That(output, Does.Contain("on 'here'").And.Contain("on 'device'").And.Contain("20 requests"));
    }

    [Test]
    public async Task AspNetHost_run_servesClassifiesAndShowsItself()
    {
        string assembly = AssemblyOf("AspNetHost");
        await using DotnetProcess process = DotnetProcess.Start([assembly, "--urls", "http://127.0.0.1:0"], Path.GetDirectoryName(assembly));
        string line = await process.WaitForLineAsync("Now listening on: ", Limit);
        using var client = new HttpClient { BaseAddress = new Uri(line[(line.LastIndexOf(' ') + 1)..]), Timeout = Limit };
        // It answers when the model is deployed, and waits until then.
        using HttpResponseMessage answer = await client.PostAsJsonAsync("/classify", Enumerable.Repeat(0.5f, 3 * 224 * 224));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), await answer.Content.ReadAsStringAsync());
        JsonElement result = await answer.Content.ReadFromJsonAsync<JsonElement>();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.GetProperty("label").GetInt32(), Is.InRange(0, 999));
            Assert.That(result.GetProperty("stages").EnumerateArray().Select(static stage => stage.GetString()).Distinct(), Is.SubsetOf(["camera", "gateway"]).And.Not.Empty);
            Assert.That((await client.GetAsync("/readyz")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(await client.GetStringAsync("/v2/models/resnet18"), Does.Contain("logits"));
            Assert.That(await client.GetStringAsync("/dashboard/"), Does.Contain("dashboard.js"));
        }
    }

    [Test]
    [Explicit("It compiles to machine code, which takes minutes where others use the machine, and fetches the compiler (180 MB) once.")]
    public async Task NativeAgent_publishedAheadOfTime_runsAStageAndStartsAtOnce()
    {
        string? linker = OperatingSystem.IsLinux() ? ((string[])["clang", "gcc"]).FirstOrDefault(static name => File.Exists($"/usr/bin/{name}")) : null;
        if (linker is null)
            Assert.Ignore("Native AOT needs clang or gcc in /usr/bin.");
        using var folder = new TemporaryFolder();
        string output = folder["agent"], model = folder["mobilenetv2.onnx"];
        DotnetProcess.Outcome publish = await DotnetProcess.RunAsync(TimeSpan.FromMinutes(9), ["publish", Path.Combine(RepositoryRoot.Path, "samples", "NativeAgent"), "-c", "Release", "--use-current-runtime", $"-p:CppCompilerAndLinker={linker}", "-o", output]);
        Assert.That(publish.ExitCode, Is.Zero, publish.Output + publish.Error);
        string executable = Path.Combine(output, "NativeAgent");
        Assert.That(Path.Combine(output, "NativeAgent.dll"), Does.Not.Exist);

        long started = Stopwatch.GetTimestamp();
        await using DotnetProcess agent = DotnetProcess.StartProgram(executable, ["listen", "127.0.0.1:0", "native"]);
        string line = await agent.WaitForLineAsync("listening on ", Limit);
        TimeSpan start = Stopwatch.GetElapsedTime(started);
        Zoo.Get("mobilenetv2").Write(model);
        DotnetProcess.Outcome run = await DotnetProcess.RunToolAsync("run", model, "--agent", line[(line.LastIndexOf(' ') + 1)..], "--requests", "8", "--check");
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(run.Output, Does.Contain("native"));
        TestContext.Out.WriteLine(FormattableString.Invariant(
            $"executable {new FileInfo(executable).Length / 1e6:0.0} MB, ONNX Runtime {new FileInfo(Path.Combine(output, "libonnxruntime.so")).Length / 1e6:0.0} MB, listening {start.TotalMilliseconds:0} ms after it was started"));
    }

    private static async Task<string> RunAsync(string name, params string[] arguments)
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunAsync(Limit, [AssemblyOf(name), .. arguments]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Output + outcome.Error);
        return outcome.Output;
    }

    private static string AssemblyOf(string name)
    {
        string relative = Path.GetRelativePath(Path.Combine(RepositoryRoot.Path, "tests", "EdgeSplit.EndToEnd.Tests"), AppContext.BaseDirectory);
        return Path.Combine(RepositoryRoot.Path, "samples", name, relative, $"{name}.dll");
    }
}
