using System.Diagnostics.CodeAnalysis;

namespace EdgeSplit.Coordination.Internal;

/// <summary>What waits for several clients, taken from one client after the other, so that each gets its share however many another has waiting.</summary>
/// <remarks>
/// Not thread-safe. Of one client: first come, first served, until it gives up on something: then more comes than can be served, and
/// what has waited longest is the next to be given up, so serving in turn would serve nothing in time. From then on its newest is
/// served first, until nothing of it waits (adaptive LIFO: Maurer, "Fail at Scale", ACM Queue 13(8), 2015). Turns among clients are
/// round robin, each entry counting the same (Nagle, "On Packet Switches with Infinite Storage", RFC 970); what is dropped where there
/// is no room is the newest of the longest line (McKenney, "Stochastic Fairness Queueing", INFOCOM 1990).
/// </remarks>
internal sealed class FairQueue<T>
{
    private readonly Dictionary<string, Line> _lines = [];
    // Clients with something waiting; the first is next.
    private readonly LinkedList<Line> _turns = [];

    /// <summary>What waits, of all clients.</summary>
    public int Count { get; private set; }

    /// <summary>The client whose turn is next; null where nothing waits.</summary>
    public string? NextClient => _turns.First?.Value.Client;

    /// <summary>Adds something; the entry returned is for <see cref="Remove"/>.</summary>
    public Entry Add(string client, T value)
    {
        if (!_lines.TryGetValue(client, out Line? line))
        {
            _lines.Add(client, line = new Line(client));
            _turns.AddLast(line);
        }
        Count++;
        return new Entry(line, line.Waiting.AddLast(value));
    }

    /// <summary>Takes out what its client has given up, if it still waits.</summary>
    public bool Remove(Entry entry)
    {
        if (entry.Node.List is null)
            return false;
        entry.Line.IsNewestFirst = true;
        Drop(entry.Line, entry.Node);
        return true;
    }

    /// <summary>Notes that a client has given up something that waits no more.</summary>
    public void NoteGivenUp(string client)
    {
        if (_lines.TryGetValue(client, out Line? line))
            line.IsNewestFirst = true;
    }

    /// <summary>Takes what is next.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T value)
    {
        if (_turns.First is not { } turn)
        {
            value = default;
            return false;
        }
        Line line = turn.Value;
        LinkedListNode<T> node = (line.IsNewestFirst ? line.Waiting.Last : line.Waiting.First)!;
        value = node.Value;
        Drop(line, node);
        if (line.Waiting.Count > 0)
        {
            _turns.Remove(turn);
            _turns.AddLast(turn);
        }
        return true;
    }

    /// <summary>What is next, without taking it.</summary>
    public bool TryPeek([MaybeNullWhen(false)] out T value)
    {
        if (_turns.First is not { Value: { } line })
        {
            value = default;
            return false;
        }
        value = (line.IsNewestFirst ? line.Waiting.Last : line.Waiting.First)!.Value;
        return true;
    }

    /// <summary>Takes out the newest of the client that has most waiting, in favour of one that would still have less with one more.</summary>
    public bool TryEvictFor(string client, [MaybeNullWhen(false)] out T evicted)
    {
        evicted = default;
        Line? longest = _turns.MaxBy(static line => line.Waiting.Count);
        int own = _lines.TryGetValue(client, out Line? line) ? line.Waiting.Count : 0;
        if (longest is null || longest.Waiting.Count <= own + 1)
            return false;
        LinkedListNode<T> newest = longest.Waiting.Last!;
        evicted = newest.Value;
        Drop(longest, newest);
        return true;
    }

    private void Drop(Line line, LinkedListNode<T> node)
    {
        line.Waiting.Remove(node);
        Count--;
        if (line.Waiting.Count > 0)
            return;
        _lines.Remove(line.Client);
        _turns.Remove(line);
    }

    /// <summary>Where something waits.</summary>
    internal readonly record struct Entry(Line Line, LinkedListNode<T> Node);

    /// <summary>What waits of one client.</summary>
    internal sealed class Line(string client)
    {
        public string Client => client;

        public LinkedList<T> Waiting { get; } = [];

        public bool IsNewestFirst { get; set; }
    }
}
