using EdgeSplit.Tensors;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using EdgeSplit.Transport.Testing;
using EdgeSplit.Transport.Tests.Wire;

namespace EdgeSplit.Transport.Tests;

/// <summary>A peer gets no more memory by opening more connections.</summary>
[CancelAfter(30_000)]
public sealed class PeerMemoryTests
{
    private const int BodyBytes = 1000;
    private const int Hostile = 6;

    [Test]
    public async Task Server_many_connections_that_announce_tensors_and_send_none_take_no_more_than_one_peer_may(CancellationToken cancellationToken)
    {
        var transport = new InMemoryTransport();
        var pool = new TensorBufferPool(retainedBytesLimit: 0);
        await using var server = new AgentServer(new FakeAgent(), new AgentServerOptions
        {
            Transport = transport,
            Pool = pool,
            Limits = new TransportLimits { MaxTensorBytes = BodyBytes, MaxBufferedBytes = BodyBytes },
            MaxBufferedBytesPerPeer = (2 * BodyBytes) + 1,
        });
        await server.StartAsync(cancellationToken);
        await using RemoteEdgeAgent honest = await RemoteEdgeAgent.ConnectAsync(
            server.EndPoint, new RemoteEdgeAgentOptions { Transport = transport }, cancellationToken);
        byte[] announcing =
        [
            .. WireBytes.Handshake(BodyBytes),
            .. WireBytes.Frame(FrameType.Request, 1, WireBytes.Request(new ExecuteCall(Guid.Empty, "p"), Part()), []),
        ];

        var hostile = new List<RecordedPeer>();
        for (int i = 0; i < Hostile; i++)
        {
            RecordedPeer peer = await RecordedPeer.ConnectAsync(transport, server.EndPoint, cancellationToken);
            hostile.Add(peer);
            await peer.SayAsync(announcing, cancellationToken);
            while (i < 2 && pool.RentedBuffers <= i)
                await Task.Delay(1, cancellationToken);
        }

        foreach (RecordedPeer refused in hostile.Skip(2))
            await refused.HearUntilAsync("limit for all its connections", cancellationToken);
        Assert.That(pool.RentedBuffers, Is.EqualTo(2));

        // One that keeps to its own credit and has the same address is told, and its connection goes on.
        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => EchoAsync(honest, BodyBytes));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.Overloaded));
        await EchoAsync(honest, 1);
        foreach (RecordedPeer peer in hostile)
            await peer.DisposeAsync();
        while (pool.RentedBuffers > 0)
            await Task.Delay(1, cancellationToken);
        await EchoAsync(honest, BodyBytes);

        async Task EchoAsync(RemoteEdgeAgent remote, int byteCount) =>
            (await remote.ExecuteAsync(LocalLink.Request(new byte[byteCount]), cancellationToken)).Dispose();
    }

    [Test]
    public async Task Listener_answers_give_the_memory_of_their_address_back(CancellationToken cancellationToken)
    {
        var transport = new InMemoryTransport();
        var limits = new TransportLimits { MaxTensorBytes = BodyBytes, MaxBufferedBytes = 2 * BodyBytes };
        await using var listener = new AgentListener(new AgentListenerOptions { Transport = transport, Limits = limits, MaxBufferedBytesPerPeer = 2 * BodyBytes });
        await listener.StartAsync(cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task dialling = new AgentDialer(new FakeAgent(), listener.EndPoint, new AgentDialerOptions { Transport = transport, Limits = limits }).RunAsync(ending.Token);
        await using RemoteEdgeAgent remote = await listener.AcceptAsync(cancellationToken);

        for (int i = 0; i < 20; i++)
            (await remote.ExecuteAsync(LocalLink.Request(new byte[BodyBytes]), cancellationToken)).Dispose();

        await ending.CancelAsync();
        await Assert.ThatAsync(() => dialling, Throws.InstanceOf<OperationCanceledException>());
    }

    private static TensorPart Part() => new("x", TensorElementType.UInt8, new TensorShape(BodyBytes), BodyBytes);
}
