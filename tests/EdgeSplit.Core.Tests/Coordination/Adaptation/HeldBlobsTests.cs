using EdgeSplit.Coordination.Internal;
using EdgeSplit.Storage;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class HeldBlobsTests
{
    private static readonly BlobReference First = Blob(1, 100), Second = Blob(2, 20), Third = Blob(3, 3);
    private readonly HeldBlobs _held = new();

    [Test]
    public void MissingBytes_counts_what_no_load_has_shown()
    {
        Assert.That(_held.MissingBytes([First, Second]), Is.EqualTo(120));
        _held.Add([First], receivedBytes: 100);
        Assert.That(_held.MissingBytes([First, Second]), Is.EqualTo(20));
    }

    [Test]
    public void Add_of_what_was_there_already_is_learnt_too()
    {
        _held.Add([First, Second], receivedBytes: 0);
        Assert.That(_held.MissingBytes([First, Second]), Is.Zero);
    }

    [Test]
    public void Agent_that_fetches_what_it_was_thought_to_hold_is_trusted_with_nothing_else()
    {
        _held.Add([First, Second], receivedBytes: 120);
        _held.Add([Second, Third], receivedBytes: 23);
        Assert.That(_held.MissingBytes([Second, Third]), Is.Zero);
        Assert.That(_held.MissingBytes([First]), Is.EqualTo(100));
    }

    private static BlobReference Blob(byte content, long byteCount) => new(ContentHash.Of([content]), byteCount);
}
