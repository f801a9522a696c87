using EdgeSplit.Agents;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Testing;

namespace EdgeSplit.Transport.Tests;

/// <summary>A fake agent behind a server and a remote agent before it, in memory, with a counting pool on both sides.</summary>
internal sealed class LocalLink : IAsyncDisposable
{
    private readonly InMemoryTransport _memory;

    private LocalLink(InMemoryTransport memory, FakeAgent agent, AgentServer server, RemoteEdgeAgent remote, TensorBufferPool pool)
    {
        _memory = memory;
        Agent = agent;
        Server = server;
        Remote = remote;
        Pool = pool;
    }

    public FakeAgent Agent { get; }

    public AgentServer Server { get; }

    public RemoteEdgeAgent Remote { get; }

    /// <summary>Every tensor that arrives, on either side, lies in it.</summary>
    public TensorBufferPool Pool { get; }

    /// <param name="serverOptions">Options of the server but for transport and pool.</param>
    /// <param name="options">Options of the remote agent but for transport and pool.</param>
    /// <param name="serverTransport">Wraps the server's transport, for faults.</param>
    /// <param name="transport">Wraps the remote agent's transport.</param>
    public static async Task<LocalLink> StartAsync(
        AgentServerOptions? serverOptions = null,
        RemoteEdgeAgentOptions? options = null,
        Func<IDuplexTransport, IDuplexTransport>? serverTransport = null,
        Func<IDuplexTransport, IDuplexTransport>? transport = null)
    {
        var memory = new InMemoryTransport();
        var pool = new TensorBufferPool();
        var agent = new FakeAgent();
        var server = new AgentServer(
            agent, (serverOptions ?? new AgentServerOptions()) with { Transport = serverTransport?.Invoke(memory) ?? memory, Pool = pool });
        await server.StartAsync();
        try
        {
            RemoteEdgeAgent remote = await RemoteEdgeAgent.ConnectAsync(
                server.EndPoint, (options ?? new RemoteEdgeAgentOptions()) with { Transport = transport?.Invoke(memory) ?? memory, Pool = pool }, default);
            return new LocalLink(memory, agent, server, remote, pool);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects once more, without faults on this side.</summary>
    public ValueTask<RemoteEdgeAgent> ConnectAsync(CancellationToken cancellationToken) =>
        RemoteEdgeAgent.ConnectAsync(Server.EndPoint, new RemoteEdgeAgentOptions { Transport = _memory, Pool = Pool }, cancellationToken);

    /// <summary>Sends a tensor of so many bytes, seeded by their number, and checks that it comes back as it was.</summary>
    public async Task EchoAsync(int byteCount, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[byteCount];
        new Random(byteCount).NextBytes(bytes);
        using PartialResult result = await Remote.ExecuteAsync(Request(bytes), cancellationToken);
        Assert.That(result.Outputs["x"].Bytes.Span.SequenceEqual(bytes), $"{byteCount} bytes came back changed.");
    }

    public static InferenceRequest Request(byte[] bytes) => new(
        Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(bytes.Length), bytes) });

    /// <summary>Waits until no buffer of the pool is in use: an answer's buffers are returned just after it was sent.</summary>
    public async Task NothingIsLeftAsync(CancellationToken cancellationToken)
    {
        while (Pool.RentedBuffers > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Remote.DisposeAsync();
        await Server.DisposeAsync();
    }
}
