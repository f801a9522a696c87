using System.Net;
using System.Runtime.InteropServices;
using EdgeSplit.Agents;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Transport.Tests;

/// <summary>Bodies are not copied on their way, buffers have one owner at a time, and nothing is left of them.</summary>
[CancelAfter(60_000)]
[NonParallelizable]
public sealed class MemoryTests
{
    private const int BodyBytes = 3_000_000;

    // What comes along with the head of a frame, of which this body has up to twelve, is copied once.
    private const int MostReadAhead = 12 * 16 * 1024;

    [Test]
    public async Task ExecuteAsync_body_is_sent_from_its_tensor_and_received_into_the_one_that_is_given_out(CancellationToken cancellationToken)
    {
        var observed = new ObservedTransport(new InMemoryTransport());
        // A clock that stands still: under load the link would count as slow, and be sent more and smaller pieces.
        var still = new FakeTimeProvider();
        await using LocalLink link = await LocalLink.StartAsync(
            new AgentServerOptions { TimeProvider = still }, new RemoteEdgeAgentOptions { TimeProvider = still }, transport: _ => observed, serverTransport: _ => observed);
        byte[] body = new byte[BodyBytes];
        new Random(1).NextBytes(body);
        byte[] answer = new byte[BodyBytes];
        byte[]? input = null;
        long received = 0;
        link.Agent.OnExecute = (request, _) =>
        {
            input = ArrayOf(request.Inputs["x"]);
            received = observed.ReceivedInto(input);
            return ValueTask.FromResult(new PartialResult(
                request.RequestId,
                request.PartitionId,
                new Dictionary<string, Tensor> { ["y"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(BodyBytes), answer) },
                TimeSpan.Zero,
                TimeSpan.Zero));
        };

        using PartialResult result = await link.Remote.ExecuteAsync(LocalLink.Request(body), cancellationToken);

        Assert.That(observed.SentFrom(body), Is.EqualTo(BodyBytes));
        Assert.That(observed.SentFrom(answer), Is.EqualTo(BodyBytes));
        Assert.That(received, Is.InRange(BodyBytes - MostReadAhead, BodyBytes));
        byte[] output = ArrayOf(result.Outputs["y"]);
        // The pool may give the answer the buffer that the input had.
        long before = ReferenceEquals(output, input) ? received : 0;
        Assert.That(observed.ReceivedInto(output) - before, Is.InRange(BodyBytes - MostReadAhead, BodyBytes));
    }

    [Test]
    public async Task ExecuteAsync_at_steady_state_allocates_no_body(CancellationToken cancellationToken)
    {
        const int Calls = 60;
        await using var server = new AgentServer(new FakeAgent { OnExecute = static (request, _) => ValueTask.FromResult(Acknowledge(request)) });
        await server.StartAsync(cancellationToken);
        await using RemoteEdgeAgent remote = await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken);
        byte[] body = new byte[1 << 20];
        await CallAsync();

        long before = GC.GetTotalAllocatedBytes(precise: true);
        await CallAsync();
        long perMessage = (GC.GetTotalAllocatedBytes(precise: true) - before) / (2 * Calls);

        // Compiled without optimisation, asynchronous methods are objects; the benchmark tells what is left with it.
        Assert.That(perMessage, Is.LessThan(16 * 1024));

        async Task CallAsync()
        {
            for (int i = 0; i < Calls; i++)
                (await remote.ExecuteAsync(LocalLink.Request(body), cancellationToken)).Dispose();
        }
    }

    [Test]
    public async Task ExecuteAsync_through_cancellations_and_losses_no_buffer_is_used_by_two_or_lost([Range(1, 4)] int seed, CancellationToken cancellationToken)
    {
        var pool = new TensorBufferPool(isChecked: true);
        var random = new Random(seed);
        for (int connection = 0; connection < 6; connection++)
        {
            var memory = new InMemoryTransport();
            var transport = new FaultInjectingTransport(memory, new ConnectionFaults { DropAfterBytes = random.Next(2) == 0 ? random.Next(1000, 900_000) : null });
            await using var server = new AgentServer(new FakeAgent(), new AgentServerOptions { Transport = memory, Pool = pool });
            await server.StartAsync(cancellationToken);
            await using RemoteEdgeAgent remote = await RemoteEdgeAgent.ConnectAsync(
                server.EndPoint, new RemoteEdgeAgentOptions { Transport = transport, Pool = pool }, cancellationToken);
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => EchoAsync(remote, random.Next(1, 200_000), random.Next(3) == 0)));
        }
        while (pool.RentedBuffers > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        async Task EchoAsync(RemoteEdgeAgent remote, int byteCount, bool isCancelled)
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            byte[] bytes = new byte[byteCount];
            new Random(byteCount).NextBytes(bytes);
            ValueTask<PartialResult> call = remote.ExecuteAsync(LocalLink.Request(bytes), cancellation.Token);
            if (isCancelled)
            {
                await Task.Yield();
                await cancellation.CancelAsync();
            }
            try
            {
                using PartialResult result = await call;
                Assert.That(result.Outputs["x"].Bytes.Span.SequenceEqual(bytes));
            }
            catch (Exception exception) when (exception is OperationCanceledException or EdgeSplitException { Error: EdgeSplitError.AgentUnavailable })
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static PartialResult Acknowledge(InferenceRequest request) => new(
        request.RequestId,
        request.PartitionId,
        new Dictionary<string, Tensor> { ["y"] = Tensor.Create<byte>([1], new TensorShape(1)) },
        TimeSpan.Zero,
        TimeSpan.Zero);

    private static byte[] ArrayOf(Tensor tensor) =>
        MemoryMarshal.TryGetArray(tensor.Bytes, out ArraySegment<byte> segment) ? segment.Array! : throw new InvalidOperationException("The tensor is no array.");

    /// <summary>Counts the bytes that leave from and arrive in each array.</summary>
    private sealed class ObservedTransport(IDuplexTransport inner) : IDuplexTransport
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<byte[], long> _sent = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<byte[], long> _received = new(ReferenceEqualityComparer.Instance);

        public long SentFrom(byte[] array) => Read(_sent, array);

        public long ReceivedInto(byte[] array) => Read(_received, array);

        public async ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
            new Listener(this, await inner.ListenAsync(endPoint, cancellationToken));

        public async ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
            new Connection(this, await inner.ConnectAsync(endPoint, cancellationToken));

        private long Read(Dictionary<byte[], long> counts, byte[] array)
        {
            lock (_gate)
                return counts.GetValueOrDefault(array);
        }

        private void Count(Dictionary<byte[], long> counts, ReadOnlyMemory<byte> memory, int count)
        {
            if (!MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> segment))
                return;
            lock (_gate)
                counts[segment.Array!] = counts.GetValueOrDefault(segment.Array!) + count;
        }

        private sealed class Listener(ObservedTransport owner, IDuplexListener inner) : IDuplexListener
        {
            public EndPoint EndPoint => inner.EndPoint;

            public async ValueTask<IDuplexConnection> AcceptAsync(CancellationToken cancellationToken) =>
                new Connection(owner, await inner.AcceptAsync(cancellationToken));

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }

        private sealed class Connection(ObservedTransport owner, IDuplexConnection inner) : IDuplexConnection
        {
            public EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

            public async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
            {
                int count = await inner.ReceiveAsync(destination, cancellationToken);
                owner.Count(owner._received, destination, count);
                return count;
            }

            public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
            {
                foreach (ReadOnlyMemory<byte> buffer in buffers)
                    owner.Count(owner._sent, buffer, buffer.Length);
                return inner.SendAsync(buffers, cancellationToken);
            }

            public ValueTask CompleteSendAsync(CancellationToken cancellationToken) => inner.CompleteSendAsync(cancellationToken);

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
