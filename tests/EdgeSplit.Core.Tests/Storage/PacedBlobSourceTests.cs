using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Storage;

public sealed class PacedBlobSourceTests
{
    [Test]
    public async Task OpenBlob_several_at_once_share_the_rate()
    {
        var time = new FakeTimeProvider();
        var paced = new PacedBlobSource(new Zeros(), 1000, time);
        await using Stream one = await paced.OpenBlobAsync(default, default), two = await paced.OpenBlobFromAsync(default, 0, default);
        byte[] buffer = new byte[500];
        await one.ReadExactlyAsync(buffer);
        Task<int> second = two.ReadAsync(buffer).AsTask(), third = one.ReadAsync(buffer).AsTask();
        time.Advance(TimeSpan.FromSeconds(0.49));
        Assert.That(second.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromSeconds(0.02));
        await second.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(third.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromSeconds(0.5));
        await third.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Test]
    public async Task Hurry_lets_those_that_wait_go_on_at_once()
    {
        var time = new FakeTimeProvider();
        using var hurry = new CancellationTokenSource();
        var paced = new PacedBlobSource(new Zeros(), 1, time, hurry.Token);
        await using Stream stream = await paced.OpenBlobAsync(default, default);
        byte[] buffer = new byte[500];
        await stream.ReadExactlyAsync(buffer);
        Task<int> second = stream.ReadAsync(buffer).AsTask();
        Assert.That(second.IsCompleted, Is.False);
        await hurry.CancelAsync();
        await second.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(stream.ReadAsync(buffer).IsCompleted);
    }

    private sealed class Zeros : IBlobSource
    {
        public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) => new(new MemoryStream(new byte[10_000]));
    }
}
