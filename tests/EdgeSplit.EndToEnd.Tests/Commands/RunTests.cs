using System.Text.Json;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Commands;

/// <summary>Agents and a coordinator as real processes.</summary>
internal sealed class RunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Test]
    public async Task Run_overTwoAgents_answersEveryRequestExactly()
    {
        using var folder = new TemporaryFolder();
        string model = folder["resnet18.onnx"];
        Zoo.Get("resnet18").Write(model);
        await using DotnetProcess first = DotnetProcess.StartTool("agent", "--listen", "127.0.0.1:0", "--id", "first");
        await using DotnetProcess second = DotnetProcess.StartTool("agent", "--listen", "127.0.0.1:0", "--id", "second");

        string[] agents = ["--agent", await AddressAsync(first), "--agent", await AddressAsync(second)];
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["run", model, .. agents, "--requests", "8", "--concurrency", "8", "--profile", "0.2", "--objective", "throughput", "--check", "--json"]);

        Assert.That(outcome.ExitCode, Is.Zero, outcome.Output + outcome.Error);
        using JsonDocument result = JsonDocument.Parse(outcome.Output);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.RootElement.GetProperty("requests").GetInt32(), Is.EqualTo(8));
            Assert.That(result.RootElement.GetProperty("largestRelativeDifference").GetDouble(), Is.LessThanOrEqualTo(1e-4));
            Assert.That(result.RootElement.GetProperty("stages").EnumerateArray().Select(static stage => stage.GetProperty("device").GetString()).Distinct().Count(), Is.EqualTo(2));
        }
    }

    [Test]
    public async Task Run_overATcpAndAGrpcAgent_withATokenAndCertificates_answersExactly()
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"], fleet = folder["fleet.json"];
        Zoo.Get("bert-tiny").Write(model);
        DotnetProcess.Outcome certs = await DotnetProcess.RunToolAsync("certs", "coordinator", "tcp=127.0.0.1", "grpc=127.0.0.1", "--token", "--out", folder["certs"]);
        Assert.That(certs.ExitCode, Is.Zero, certs.Output + certs.Error);
        await using DotnetProcess tcp = DotnetProcess.StartTool(["agent", "--listen", "127.0.0.1:0", "--id", "tcp", .. Guard("tcp")]);
        await using DotnetProcess grpc = DotnetProcess.StartTool(["agent", "--grpc", "--listen", "127.0.0.1:0", "--id", "grpc", .. Guard("grpc")]);
        string[] agents = ["--agent", await AddressAsync(tcp), "--agent", await AddressAsync(grpc), .. Guard("coordinator")];

        DotnetProcess.Outcome probe = await DotnetProcess.RunToolAsync(["fleet", "probe", "--out", fleet, .. agents]);
        DotnetProcess.Outcome run = await DotnetProcess.RunToolAsync(["run", model, "--requests", "4", "--objective", "throughput", "--check", "--json", .. agents]);

        Assert.That(probe.ExitCode, Is.Zero, probe.Output + probe.Error);
        using JsonDocument probed = JsonDocument.Parse(await File.ReadAllTextAsync(fleet));
        Assert.That(probed.RootElement.GetProperty("devices").EnumerateArray().Select(static device => device.GetProperty("id").GetString()), Is.SupersetOf(["tcp", "grpc"]));
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        using JsonDocument result = JsonDocument.Parse(run.Output);
        Assert.That(result.RootElement.GetProperty("largestRelativeDifference").GetDouble(), Is.LessThanOrEqualTo(1e-4));

        string[] Guard(string name) => ["--token", folder["certs/token"], "--tls-ca", folder["certs/authority.crt"], "--tls-cert", folder[$"certs/{name}.crt"]];
    }

    [Test]
    public async Task Run_killedMidway_leavesAgentsServingTheNext()
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        await using DotnetProcess first = DotnetProcess.StartTool("agent", "--listen", "127.0.0.1:0");
        await using DotnetProcess second = DotnetProcess.StartTool("agent", "--listen", "127.0.0.1:0");
        string[] run = ["run", model, "--agent", await AddressAsync(first), "--agent", await AddressAsync(second)];

        await using (DotnetProcess doomed = DotnetProcess.StartTool([.. run, "--requests", "1000000", "--concurrency", "4"]))
        {
            await doomed.WaitForLineAsync("stage", Patience);
            doomed.Kill();
            await doomed.WaitForExitAsync(Patience);
        }
        DotnetProcess.Outcome next = await DotnetProcess.RunToolAsync([.. run, "--requests", "4", "--check"]);

        Assert.That(next.ExitCode, Is.Zero, next.Output + next.Error);
    }

    [Test]
    public async Task Run_overAgentsThatJoin_withCertificatesAndToken_andRejoinAfterAKill()
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        DotnetProcess.Outcome certs = await DotnetProcess.RunToolAsync("certs", "coordinator=localhost,127.0.0.1", "first", "second", "--token", "--out", folder["certs"]);
        Assert.That(certs.ExitCode, Is.Zero, certs.Output + certs.Error);

        await using DotnetProcess run = DotnetProcess.StartTool(
            ["run", model, "--listen", "127.0.0.1:0", "--expect", "2", "--requests", "1000000", "--concurrency", "2", .. Guard("coordinator")]);
        string address = await AddressAsync(run);
        DotnetProcess.Outcome stranger = await DotnetProcess.RunToolAsync("agent", "--join", address, "--tls-ca", folder["certs/authority.crt"], "--tls-cert", folder["certs/first.crt"]);
        Assert.That(stranger.ExitCode, Is.EqualTo(1));
        Assert.That(stranger.Error, Does.Contain("join token"));

        await using DotnetProcess second = DotnetProcess.StartTool(["agent", "--join", address, "--id", "second", .. Guard("second")]);
        await using (DotnetProcess first = DotnetProcess.StartTool(["agent", "--join", address, "--id", "first", .. Guard("first")]))
        {
            await first.WaitForLineAsync("has joined", Patience);
            await run.WaitForLineAsync("stage", Patience);
            first.Kill();
            await first.WaitForExitAsync(Patience);
        }
        await using DotnetProcess again = DotnetProcess.StartTool(["agent", "--join", address, "--id", "first", .. Guard("first")]);
        await run.WaitForLineAsync("agent 'first' has joined", Patience);

        string[] Guard(string name) => ["--token", folder["certs/token"], "--tls-ca", folder["certs/authority.crt"], "--tls-cert", folder[$"certs/{name}.crt"]];
    }

    private static async Task<string> AddressAsync(DotnetProcess process)
    {
        const string Marker = "listening on ";
        string line = await process.WaitForLineAsync(Marker, Patience);
        return line[(line.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)..].Trim().Split(' ')[0];
    }
}
