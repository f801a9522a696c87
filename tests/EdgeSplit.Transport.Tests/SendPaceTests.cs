using EdgeSplit.Transport.Connections;

namespace EdgeSplit.Transport.Tests;

public sealed class SendPaceTests
{
    private const int KiB = 1024;

    [TestCase(4e9, 1024)]
    [TestCase(1e9, 448)]
    [TestCase(400e6, 192)]
    [TestCase(125e6, 64)]
    [TestCase(1.25e6, 64)]
    public void Add_leads_to_what_the_link_takes_in_half_a_millisecond(double bytesPerSecond, int expectedKiB)
    {
        var pace = new SendPace();
        for (int i = 0; i < 400; i++)
            pace.Add(pace.ChunkBytes, TimeSpan.FromSeconds(pace.ChunkBytes / bytesPerSecond));
        Assert.That(pace.ChunkBytes / KiB, Is.EqualTo(expectedKiB));
        Assert.That(pace.UnsentBytes, Is.EqualTo(Math.Max(pace.ChunkBytes, 128 * KiB)));
    }

    [TestCase(false, 1024)]
    [TestCase(true, 4096)]
    public void Add_leads_to_larger_pieces_within_a_machine(bool staysInMachine, int expectedKiB)
    {
        var pace = new SendPace(staysInMachine);
        for (int i = 0; i < 400; i++)
            pace.Add(pace.ChunkBytes, TimeSpan.FromSeconds(pace.ChunkBytes / 10e9));
        Assert.That((pace.ChunkBytes / KiB, pace.UnsentBytes / KiB), Is.EqualTo((expectedKiB, expectedKiB)));
    }

    [Test]
    public void Add_one_slow_piece_is_enough_to_slow_down()
    {
        var pace = new SendPace();
        for (int i = 0; i < 20; i++)
            pace.Add(pace.ChunkBytes, TimeSpan.FromMicroseconds(100));
        Assert.That(pace.ChunkBytes, Is.EqualTo(1024 * KiB));
        pace.Add(pace.ChunkBytes, TimeSpan.FromSeconds(0.4));
        Assert.That((pace.ChunkBytes, pace.UnsentBytes), Is.EqualTo((64 * KiB, 128 * KiB)));
    }

    [Test]
    public void Add_what_only_fills_buffers_tells_nothing()
    {
        var pace = new SendPace();
        for (int i = 0; i < 100; i++)
        {
            pace.Begin();
            pace.Add(200 * KiB, TimeSpan.FromMicroseconds(40));
            pace.Add(200 * KiB, TimeSpan.FromMicroseconds(40));
        }
        Assert.That(pace.ChunkBytes, Is.EqualTo(256 * KiB));
    }
}
