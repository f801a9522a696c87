using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

public sealed class MembershipTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);

    [Test]
    public async Task Drain_moves_the_agents_stages_and_resume_lets_plans_use_it_again()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        var states = new List<AgentState>();
        cluster.Coordinator.AgentChanged += (_, status) => states.Add(status.State);

        await cluster.Coordinator.DrainAgentAsync("b");
        Assert.That(deployment.Plan.Fleet.IndexOf("b"), Is.EqualTo(-1));
        Assert.That(StateOf(cluster, "b"), Is.EqualTo(AgentState.Draining));
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();

        cluster.Coordinator.ResumeAgent("b");
        await deployment.RepartitionAsync();
        Assert.That(deployment.Plan.Fleet.IndexOf("b"), Is.Not.EqualTo(-1));
        Assert.That(states, Is.EqualTo(new[] { AgentState.Draining, AgentState.Available }));
    }

    [Test]
    public async Task Drain_of_the_only_agent_is_refused_and_leaves_it_in_use()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 1);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NoFeasiblePlan, () => cluster.Coordinator.DrainAgentAsync("a").AsTask());
        Assert.That(StateOf(cluster, "a"), Is.EqualTo(AgentState.Available));
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
    }

    [Test]
    public async Task Resume_of_a_lost_agent_says_that_it_must_reconnect()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        cluster.Agents["b"].Cut();
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => cluster.Coordinator.ResumeAgent("b"));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable));
        Assert.That(exception!.Message, Does.Contain("'b'").And.Contain("reconnects"));
    }

    private static AgentState StateOf(Cluster cluster, string id) => cluster.Coordinator.AgentStates.Single(status => status.Id == id).State;
}
