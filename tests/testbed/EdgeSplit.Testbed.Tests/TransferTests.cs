using System.Collections.Immutable;
using System.Security.Cryptography;
using EdgeSplit.Coordination;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Tests;

/// <summary>An agent process that is killed in the middle of a transfer over TCP.</summary>
internal sealed class TransferTests
{
    private const int HeldAfterBytes = 3 << 20;

    [Test]
    public async Task DeployAsync_agentKilledWhileItFetches_goesOnWhereItBrokeOff()
    {
        if (TestbedSupport.NoProcessesReason is { } reason)
            Assert.Ignore(reason);
        using TestModel model = await TestModel.CreateAsync("mobilenetv2", samples: 1);
        var format = new HeldFormat(model.Format);
        await using TestbedSystem testbed = await TestbedSystem.StartAsync(
            new TestbedOptions { Agents = 1, HasNetworks = false, Coordinator = new CoordinatorOptions { Adaptation = null } }, format);
        TestbedAgent agent = testbed.Agents[0];
        string blobs = Path.Combine(testbed.Folder, agent.Id);

        Task<Deployment> first = testbed.Coordinator.DeployAsync(model.Path).AsTask();
        await Task.WhenAny(first, format.Held).WaitAsync(TimeSpan.FromMinutes(1));
        // All but the one that is held arrive whole.
        await UntilAsync(() => Whole(blobs).Length == format.BlobCount - 1);
        agent.Kill();
        await Assert.ThatAsync(() => first, Throws.TypeOf<EdgeSplitException>());
        long kept = new FileInfo(Directory.GetFiles(blobs, "*.part").Single()).Length;
        format.LetGo();
        agent.Start();
        await testbed.WaitForAvailableAsync([agent.Id]);
        var sent = new SentBytes();
        await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, new DeploymentOptions { Progress = sent });
        using FinalResult result = await deployment.InferAsync(model.Samples[0].Inputs);

        TestContext.Out.WriteLine($"{kept} of {format.HeldByteCount} bytes were kept, {sent.Bytes} were sent again");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kept, Is.InRange(1 << 20, HeldAfterBytes));
            Assert.That(sent.Bytes, Is.EqualTo(format.HeldByteCount - kept));
            Assert.That(Whole(blobs), Has.Length.EqualTo(format.BlobCount));
            Assert.That(Whole(blobs).Where(static path => Hash(path) != Path.GetFileName(path)), Is.Empty, "A blob's content is not what its name says.");
            Assert.That(Onnx.Verification.SplitComparison.Of(model.Samples[0].Expected, result.Outputs).LargestRelative, Is.LessThan(LoadOutcome.Tolerance));
        }
    }

    private static string[] Whole(string folder) => [.. Directory.GetFiles(folder).Where(static path => ContentHash.TryParse(Path.GetFileName(path), out _))];

    private static string Hash(string path) => new ContentHash(SHA256.HashData(File.ReadAllBytes(path))).ToString();

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!holds())
            await Task.Delay(20, limit.Token);
    }

    private sealed class SentBytes : IProgress<DeploymentProgress>
    {
        public long Bytes { get; private set; }

        public void Report(DeploymentProgress value) => Bytes = Math.Max(Bytes, value.SentBytes);
    }

    /// <summary>Opens models whose largest weight is given only in part, until it is let go.</summary>
    private sealed class HeldFormat(IModelFormat inner) : IModelFormat
    {
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private BlobReference _largest;

        public string Name => inner.Name;

        public Task Held => _held.Task;

        public int BlobCount { get; private set; }

        public long HeldByteCount => _largest.ByteCount;

        public void LetGo() => _letGo.TrySetResult();

        public async ValueTask<ISplittableModel> OpenAsync(string path, CancellationToken cancellationToken)
        {
            ISplittableModel model = await inner.OpenAsync(path, cancellationToken);
            ImmutableArray<BlobReference> blobs = model.Extract([.. model.Graph.Layers.Select(static layer => layer.Index)]).Blobs;
            (BlobCount, _largest) = (blobs.Length, blobs.MaxBy(static blob => blob.ByteCount));
            return new HeldModel(this, model);
        }

        private async ValueTask<Stream> HoldAsync(ContentHash hash, long offset, Stream content)
        {
            if (hash != _largest.Hash || offset > 0 || _letGo.Task.IsCompleted)
                return content;
            byte[] part = new byte[HeldAfterBytes];
            await content.ReadExactlyAsync(part);
            return new HeldStream(this, new MemoryStream(part), content);
        }

        private sealed class HeldModel(HeldFormat format, ISplittableModel model) : ISplittableModel
        {
            public ModelGraph Graph => model.Graph;

            public ImmutableArray<TensorInfo> Inputs => model.Inputs;

            public ImmutableArray<TensorInfo> Outputs => model.Outputs;

            public ModelPartition Extract(IReadOnlyCollection<int> layers) => model.Extract(layers);

            public async ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) =>
                await format.HoldAsync(hash, 0, await model.OpenBlobAsync(hash, cancellationToken));

            public async ValueTask<Stream> OpenBlobFromAsync(ContentHash hash, long offset, CancellationToken cancellationToken) =>
                await format.HoldAsync(hash, offset, await model.OpenBlobFromAsync(hash, offset, cancellationToken));

            public void Dispose() => model.Dispose();
        }

        private sealed class HeldStream(HeldFormat format, MemoryStream part, Stream rest) : Stream
        {
            public override bool CanRead => true;

            public override bool CanSeek => false;

            public override bool CanWrite => false;

            public override long Length => throw new NotSupportedException();

            public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                int read = part.Read(buffer.Span);
                if (read > 0)
                    return read;
                format._held.TrySetResult();
                await format._letGo.Task.WaitAsync(cancellationToken);
                return await rest.ReadAsync(buffer, cancellationToken);
            }

            public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            public override void Flush()
            {
            }

            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

            public override void SetLength(long value) => throw new NotSupportedException();

            public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            protected override void Dispose(bool disposing)
            {
                part.Dispose();
                rest.Dispose();
            }
        }
    }
}
