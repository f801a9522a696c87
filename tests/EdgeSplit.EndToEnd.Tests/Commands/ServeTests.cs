using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tests;

namespace EdgeSplit.EndToEnd.Tests.Commands;

/// <summary>A server with its agents as real processes, asked as clients would.</summary>
internal sealed class ServeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Test]
    public async Task Serve_overATcpAndAGrpcAgent_answersClients()
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        await using DotnetProcess tcp = DotnetProcess.StartTool("agent", "--listen", "127.0.0.1:0", "--id", "tcp");
        await using DotnetProcess grpc = DotnetProcess.StartTool("agent", "--grpc", "--listen", "127.0.0.1:0", "--id", "grpc");
        await using DotnetProcess server = DotnetProcess.StartTool(
            "serve", $"bert={model}", "--agent", await AddressAsync(tcp, "listening on "), "--agent", await AddressAsync(grpc, "listening on "),
            "--expect", "2", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0");
        using var client = new HttpClient { BaseAddress = new Uri(await AddressAsync(server, "health on ")), Timeout = Patience };
        Assert.That((await client.GetAsync("/healthz")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await server.WaitForLineAsync("model 'bert' is served", Patience);
        Assert.That((await client.GetAsync("/readyz")).StatusCode, Is.EqualTo(HttpStatusCode.OK));

        JsonElement metadata = await client.GetFromJsonAsync<JsonElement>("/v2/models/bert");
        using HttpResponseMessage answer = await client.PostAsJsonAsync("/v2/models/bert/infer", new
        {
            inputs = metadata.GetProperty("inputs").EnumerateArray().Select(static input => new
            {
                name = input.GetProperty("name").GetString(),
                datatype = input.GetProperty("datatype").GetString(),
                shape = (int[])[1, 8],
                data = (int[])[1, 1, 1, 1, 1, 1, 1, 1],
            }),
        });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), await answer.Content.ReadAsStringAsync());
        Assert.That(await client.GetStringAsync("/metrics"), Does.Contain("edgesplit_request_duration_seconds_count").And.Contain("edgesplit_agents"));
        Assert.That(await client.GetStringAsync("/"), Does.Contain("dashboard.js"));
    }

    [Test]
    public async Task Serve_killedAndStartedAgain_goesOnWithItsModels()
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(model);
        await using DotnetProcess tcp = DotnetProcess.StartTool("agent", "--listen", "127.0.0.1:0", "--id", "tcp");
        await using DotnetProcess grpc = DotnetProcess.StartTool("agent", "--grpc", "--listen", "127.0.0.1:0", "--id", "grpc");
        string[] options =
        [
            "--agent", await AddressAsync(tcp, "listening on "), "--agent", await AddressAsync(grpc, "listening on "),
            "--expect", "2", "--objective", "throughput", "--repository", folder["repository"], "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0",
        ];
        string served;
        await using (DotnetProcess first = DotnetProcess.StartTool(["serve", $"bert={model}", .. options]))
        {
            served = await first.WaitForLineAsync("model 'bert' is served", Patience);
            first.Kill();
            await first.WaitForExitAsync(Patience);
        }
        File.Delete(model);
        await using DotnetProcess second = DotnetProcess.StartTool(["serve", .. options]);
        // Its plan too is the former one.
        Assert.That(await second.WaitForLineAsync("model 'bert' is served", Patience), Is.EqualTo(served));
        using var client = new HttpClient { BaseAddress = new Uri(await AddressAsync(second, "health on ")), Timeout = Patience };
        Assert.That((await client.GetAsync("/readyz")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Serve_agentsThatJoinOverGrpcAndTcp_withAToken_areUsed()
    {
        using var folder = new TemporaryFolder();
        string model = folder["bert-tiny.onnx"], token = folder["token"];
        Zoo.Get("bert-tiny").Write(model);
        await File.WriteAllTextAsync(token, "a token of more than enough letters");
        await using DotnetProcess server = DotnetProcess.StartTool(
            "serve", $"bert={model}", "--listen", "127.0.0.1:0", "--grpc-join", "--token", token, "--expect", "2", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0");
        string overGrpc = await AddressAsync(server, "agents join over gRPC at "), overTcp = await AddressAsync(server, "agents join at ");
        DotnetProcess.Outcome stranger = await DotnetProcess.RunToolAsync("agent", "--join", overGrpc, "--id", "stranger");
        Assert.That(stranger.ExitCode, Is.EqualTo(1), stranger.Output + stranger.Error);
        Assert.That(stranger.Error, Does.Contain("token"));
        await using DotnetProcess grpc = DotnetProcess.StartTool("agent", "--join", overGrpc, "--token", token, "--id", "grpc");
        await using DotnetProcess tcp = DotnetProcess.StartTool("agent", "--join", overTcp, "--token", token, "--id", "tcp");
        await grpc.WaitForLineAsync("has joined", Patience);
        await tcp.WaitForLineAsync("has joined", Patience);
        await server.WaitForLineAsync("model 'bert' is served", Patience);
    }

    [Test]
    public async Task Serve_aDamagedModel_failsWithTheReason()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["damaged.onnx"], "no model");
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync("serve", folder["damaged.onnx"], "--local", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0");
        Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.Output + outcome.Error);
        Assert.That(outcome.Error, Does.Contain("edgesplit:").And.Contain("damaged.onnx"));
    }

    [TestCase("--http", "127.0.0.1:0")]
    [TestCase("--local", "--http", "*:0")]
    [TestCase("--local", "missing.onnx")]
    [TestCase("--agent", "nowhere")]
    [TestCase("--agent", "ftp://127.0.0.1:1")]
    public async Task Serve_badUsage_isTold(params string[] arguments)
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunToolAsync(["serve", .. arguments]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Output + outcome.Error);
    }

    private static async Task<string> AddressAsync(DotnetProcess process, string marker)
    {
        string line = await process.WaitForLineAsync(marker, Patience);
        return line[(line.IndexOf(marker, StringComparison.Ordinal) + marker.Length)..].Trim().Split(' ')[0];
    }
}
