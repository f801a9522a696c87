using EdgeSplit.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Tests;

/// <summary>What is wrong in options is told at the start, all at once and by name.</summary>
internal sealed class OptionsTests
{
    [Test]
    public async Task Start_withWrongCoordinatorOptions_tellsEach()
    {
        string message = await FailAsync(
            static edgeSplit => edgeSplit.AddCoordinator(static options => options.AddModel("missing.onnx")),
            ("EdgeSplit:Coordinator:MaxInFlightRequests", "0"),
            ("EdgeSplit:Coordinator:StageWindow", "0"),
            ("EdgeSplit:Coordinator:MaxBatch", "0"),
            ("EdgeSplit:Coordinator:MaxBatchDelay", "-00:00:01"),
            ("EdgeSplit:Coordinator:MinimumAgents", "-1"));
        foreach (string told in (string[])["MaxInFlightRequests", "StageWindow", "MaxBatch", "MaxBatchDelay", "MinimumAgents"])
            Assert.That(message, Does.Contain($"EdgeSplit:Coordinator:{told}"));
        Assert.That(message, Does.Contain("missing.onnx"));
    }

    [Test]
    public async Task Start_withWrongAddresses_tellsEach()
    {
        string message = await FailAsync(
            static edgeSplit => edgeSplit.AddCoordinator().UseTcp().UseGrpc(),
            ("EdgeSplit:Tcp:Agents:0", "nowhere"),
            ("EdgeSplit:Grpc:Agents:0", "127.0.0.1:1"));
        Assert.That(message, Does.Contain("EdgeSplit:Tcp:Agents:0").And.Contain("EdgeSplit:Grpc:Agents:0").And.Contain("http://HOST:PORT"));
    }

    [Test]
    public async Task Start_ofAnAgentThatNobodyCanReach_saysWhatToDo()
    {
        Assert.That(await FailAsync(static edgeSplit => edgeSplit.AddAgent()), Does.Contain("UseTcp"));
        Assert.That(await FailAsync(static edgeSplit => edgeSplit.AddAgent().UseTcp()), Does.Contain("EdgeSplit:Tcp:Listen"));
    }

    [Test]
    public async Task Start_listeningBeyondThisMachineUnguarded_isRefused()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["token"], "short");
        Assert.That(
            await FailAsync(static edgeSplit => edgeSplit.AddCoordinator().UseTcp(static options => options.Listen = "*:0")),
            Does.Contain("EdgeSplit:Tcp:Listen").And.Contain("join token"));
        Assert.That(
            await FailAsync(edgeSplit => edgeSplit.AddCoordinator().UseTcp(options => options.TokenFile = folder["token"])),
            Does.Contain("EdgeSplit:Tcp:TokenFile").And.Contain("16"));
    }

    [Test]
    public void Add_twice_isRefused()
    {
        var services = new ServiceCollection();
        EdgeSplitBuilder edgeSplit = services.AddEdgeSplit().AddCoordinator();
        Assert.Throws<InvalidOperationException>(() => edgeSplit.AddCoordinator());
        Assert.Throws<InvalidOperationException>(() => services.AddEdgeSplit());
    }

    private static async Task<string> FailAsync(Action<EdgeSplitBuilder> configure, params (string, string)[] settings)
    {
        using IHost host = Hosts.CreateWorker(configure, null, settings);
        Exception? failure = await Assert.CatchAsync(() => host.StartAsync());
        Assert.That(failure, Is.InstanceOf<OptionsValidationException>().Or.InstanceOf<AggregateException>());
        return failure!.ToString();
    }
}
