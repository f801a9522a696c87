using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Tests;

internal sealed class TestbedSystemTests
{
    [Test]
    public async Task DisposeAsync_agentsInEveryState_leavesNothing()
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
            Assert.Ignore(reason);
        string folder;
        int[] processes;
        await using (TestbedSystem testbed = await TestbedSystem.StartAsync(new TestbedOptions { Agents = 3, LinkBytesPerSecond = 10e6, Processors = 0.5 }, new OnnxModelFormat()))
        {
            folder = testbed.Folder;
            processes = [.. testbed.Agents.Select(static agent => agent.ProcessId)];
            Assert.That(testbed.Coordinator.Agents.Select(static agent => agent.Address), Has.None.Null, "They listen for each other.");
            testbed.Agents[0].Stop();
            testbed.Agents[1].Kill();
            testbed.Agents[2].CutLink();
        }

        using (Assert.EnterMultipleScope())
        {
            Assert.That(processes, Has.None.Zero);
            Assert.That(processes.Where(static id => Directory.Exists($"/proc/{id}")), Is.Empty);
            Assert.That(Directory.Exists(folder), Is.False);
        }
    }

    [Test]
    public async Task LimitLink_whileAgentsSendNothing_isNoticedBetweenThem()
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
            Assert.Ignore(reason);
        using TestModel model = await TestModel.CreateAsync("mobilenetv2", samples: 1);
        await using TestbedSystem testbed = await TestbedSystem.StartAsync(new TestbedOptions { Agents = 2, LinkBytesPerSecond = 20e6 }, model.Format);
        using var opened = (OnnxModel)await model.Format.OpenAsync(model.Path, CancellationToken.None);
        double before = await BytesPerSecondAsync();
        testbed.Agents[1].LimitLink(2e6);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await BytesPerSecondAsync() > 4e6)
            await Task.Delay(100, limit.Token);
        Assert.That(before, Is.InRange(10e6, 30e6));

        async Task<double> BytesPerSecondAsync()
        {
            PartitionProblem problem = await testbed.Coordinator.CreateProblemAsync(opened.Graph);
            Assert.That(problem.DirectPairs, Has.Count.EqualTo(2));
            return problem.Fleet.LinkBetween(problem.Fleet.IndexOf("agent-0"), problem.Fleet.IndexOf("agent-1")).BytesPerSecond;
        }
    }

    [Test]
    public async Task LimitLink_tenthOfTheBandwidth_slowsTransfersAccordingly()
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
            Assert.Ignore(reason);
        await using TestbedSystem testbed = await TestbedSystem.StartAsync(new TestbedOptions { Agents = 1, LinkBytesPerSecond = 20e6 }, new OnnxModelFormat());
        TestbedAgent agent = testbed.Agents[0];
        double before = testbed.Coordinator.AgentStates.Single().Link.BytesPerSecond;
        agent.LimitLink(2e6);
        agent.Kill();
        await testbed.WaitUntilAsync(static available => available.IsEmpty);
        agent.Start();
        await testbed.WaitForAvailableAsync([agent.Id]);
        double after = testbed.Coordinator.AgentStates.Single().Link.BytesPerSecond;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(before, Is.InRange(10e6, 30e6));
            Assert.That(after, Is.InRange(1e6, 3e6));
        }
    }
}
