using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Models;
using EdgeSplit.Testbed.Internal;
using EdgeSplit.Transport;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Testbed;

/// <summary>
/// A coordinator in this process and agents in processes of their own, each with a link and a share of the processors that can be
/// changed while it runs. Disposal leaves nothing of it; what a killed testbed has left is removed by the next one.
/// </summary>
public sealed class TestbedSystem : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly TestbedNetwork _network;
    private readonly AgentListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<TestbedAgent> _agents = [];
    private Task _accepting = Task.CompletedTask;

    private TestbedSystem(TestbedOptions options, IModelFormat format)
    {
        _folder = Directory.CreateTempSubdirectory("edgesplit-testbed-");
        _network = new TestbedNetwork(options.HasNetworks);
        string token = JoinToken.Create();
        File.WriteAllText(Path.Combine(_folder.FullName, "token"), token);
        _listener = new AgentListener(new AgentListenerOptions
        {
            EndPoint = new IPEndPoint(_network.CoordinatorAddress, 0),
            JoinToken = new JoinToken(token),
            MaxNewConnectionsPerPeerAndMinute = 10_000,
        });
        Coordinator = new Coordinator(format, options.Coordinator);
    }

    /// <summary>The coordinator.</summary>
    public Coordinator Coordinator { get; }

    /// <summary>The agents.</summary>
    public IReadOnlyList<TestbedAgent> Agents => _agents;

    /// <summary>Bytes that have gone over the coordinator's link, which has no limit: sent by it, and received.</summary>
    public (long Sent, long Received) CoordinatorLinkBytes => _network.CoordinatorBytes;

    /// <summary>A folder of the testbed's own, deleted with it.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Starts the coordinator and the agents, and waits until all have joined.</summary>
    public static async Task<TestbedSystem> StartAsync(TestbedOptions options, IModelFormat format, CancellationToken cancellationToken = default)
    {
        var testbed = new TestbedSystem(options, format);
        try
        {
            await testbed._listener.StartAsync(cancellationToken);
            testbed._accepting = testbed.AcceptAsync();
            for (int index = 0; index < options.Agents; index++)
                testbed.AddAgent(index, options);
            await testbed.WaitForAvailableAsync(testbed._agents.Select(static agent => agent.Id), cancellationToken);
            return testbed;
        }
        catch
        {
            await testbed.DisposeAsync();
            throw;
        }
    }

    /// <summary>An agent by its id.</summary>
    public TestbedAgent Agent(string id) => _agents.Single(agent => agent.Id == id);

    /// <summary>The agents that the coordinator may use now.</summary>
    public ImmutableArray<string> Available =>
        [.. Coordinator.AgentStates.Where(static status => status.State == AgentState.Available).Select(static status => status.Id)];

    /// <summary>Waits until the coordinator may use these agents.</summary>
    public Task WaitForAvailableAsync(IEnumerable<string> ids, CancellationToken cancellationToken = default)
    {
        string[] wanted = [.. ids];
        return WaitUntilAsync(available => !wanted.Except(available).Any(), cancellationToken);
    }

    /// <summary>Waits until those that the coordinator may use satisfy a condition.</summary>
    public async Task WaitUntilAsync(Func<ImmutableArray<string>, bool> condition, CancellationToken cancellationToken = default)
    {
        TaskCompletionSource? changed;
        void OnChanged(object? sender, AgentStatus status) => Volatile.Read(ref changed)?.TrySetResult();
        changed = null;
        Coordinator.AgentChanged += OnChanged;
        try
        {
            while (true)
            {
                var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Volatile.Write(ref changed, next);
                if (condition(Available))
                    return;
                await next.Task.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
            }
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The agents did not become what was waited for: {string.Join("; ", _agents.Select(static agent => $"{agent.Id}: {agent.Output}"))}");
        }
        finally
        {
            Coordinator.AgentChanged -= OnChanged;
        }
    }

    /// <summary>Ends the processes and removes everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        // First those that may be stopped, or the coordinator would wait for their farewell.
        foreach (TestbedAgent agent in _agents)
            agent.Remove();
        await Coordinator.DisposeAsync();
        await _listener.DisposeAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _network.Dispose();
        _folder.Delete(recursive: true);
    }

    private void AddAgent(int index, TestbedOptions options)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"agent-{index}");
        AgentNetwork? network = options.HasNetworks ? _network.Add(index) : null;
        CpuGroup? group = options.HasNetworks ? new CpuGroup(_network.Prefix + index.ToString(CultureInfo.InvariantCulture)) : null;
        string[] command =
        [
            "dotnet", "exec", "--runtimeconfig", Beside("runtimeconfig.json"), "--depsfile", Beside("deps.json"), Path.Combine(AppContext.BaseDirectory, "edgesplit.dll"), "agent", "--id", id, "--join", HostAndPort.Format(_listener.EndPoint), "--listen", $"{network?.Address ?? IPAddress.Loopback}:0",
            "--token", Path.Combine(Folder, "token"), "--blobs", Path.Combine(options.BlobsFolder ?? Folder, id),
        ];
        var agent = new TestbedAgent(id, command, network, group);
        _agents.Add(agent);
        if (options.HasNetworks)
        {
            agent.LimitLink(options.LinkBytesPerSecond);
            agent.LimitProcessors(options.Processors);
        }
        options.Prepare?.Invoke(agent);
        agent.Start();
    }

    // The command was copied beside a program whose frameworks may hold what the command would else bring along.
    private static string Beside(string what) => Directory.GetFiles(AppContext.BaseDirectory, $"EdgeSplit.*.{what}").Single();

    private async Task AcceptAsync()
    {
        await foreach (RemoteEdgeAgent agent in _listener.AcceptAllAsync(_stopping.Token))
            _ = AddAsync(agent);
    }

    private async Task AddAsync(RemoteEdgeAgent agent)
    {
        try
        {
            await Coordinator.AddAgentAsync(agent, _stopping.Token);
        }
        catch (Exception exception) when (exception is EdgeSplitException or OperationCanceledException or ObjectDisposedException)
        {
            // It was lost again before it was known; it joins anew.
            await agent.DisposeAsync();
        }
    }
}
