using EdgeSplit.Transport.Connections;

namespace EdgeSplit.Transport.Tests;

public sealed class SendPaceTests
{
    private const int KiB = 1024;

    [TestCase(4e9, 1024)]
    [TestCase(1e9, 256)]
    [TestCase(400e6, 64)]
    [TestCase(700e6, 192)]
    [TestCase(125e6, 64)]
    [TestCase(1.25e6, 64)]
    public void Add_leads_to_what_the_link_takes_in_the_time_of_a_piece(double bytesPerSecond, int expectedKiB)
    {
        var pace = new SendPace();
        for (int i = 0; i < 400; i++)
            pace.Add(pace.ChunkBytes, TimeSpan.FromSeconds(pace.ChunkBytes / bytesPerSecond));
        Assert.That(pace.ChunkBytes / KiB, Is.EqualTo(expectedKiB));
        Assert.That(pace.UnsentBytes, Is.EqualTo(Math.Max(pace.ChunkBytes, 128 * KiB)));
    }

    [TestCase(true, 3e9, 4096)]
    [TestCase(true, 1.8e9, 448)]
    [TestCase(false, 6e9, 1024)]
    public void Add_leads_to_larger_pieces_where_memory_alone_is_passed(bool staysInMachine, double bytesPerSecond, int expectedKiB)
    {
        var pace = new SendPace(staysInMachine);
        for (int message = 0; message < 40; message++)
        {
            pace.Begin();
            for (int left = 3072 * KiB; left > 0;)
            {
                int piece = Math.Min(left, pace.ChunkBytes);
                pace.Add(piece, TimeSpan.FromSeconds(piece / bytesPerSecond));
                left -= piece;
            }
        }
        Assert.That(pace.ChunkBytes / KiB, Is.EqualTo(expectedKiB));
        pace.Add(pace.ChunkBytes, TimeSpan.FromSeconds(0.4));
        Assert.That(pace.ChunkBytes, Is.LessThan(256 * KiB));
    }

    [Test]
    public void Add_needs_much_to_pass_for_memory()
    {
        var pace = new SendPace(staysInMachine: true);
        pace.Begin();
        for (int i = 0; i < 40; i++)
            pace.Add(1024 * KiB, TimeSpan.FromMicroseconds(200));
        Assert.That(pace.ChunkBytes, Is.EqualTo(1024 * KiB));
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
