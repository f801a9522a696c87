using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>How a <see cref="PeerExchange"/> is written.</summary>
internal static class PeerExchangeFormat
{
    public static void Write(ref MessagePackWriter writer, PeerExchange exchange)
    {
        writer.WriteArrayHeader(3);
        WriteNames(ref writer, exchange.Awaited);
        writer.WriteArrayHeader(exchange.Deliveries.Length);
        foreach (PeerDelivery delivery in exchange.Deliveries)
        {
            writer.WriteArrayHeader(delivery.Encoding == ActivationEncoding.None ? 4 : 5);
            writer.Write(delivery.Peer.AgentId);
            writer.Write(delivery.Peer.Address);
            writer.Write(delivery.PartitionId);
            WriteNames(ref writer, delivery.Outputs);
            if (delivery.Encoding != ActivationEncoding.None)
                writer.Write((int)delivery.Encoding);
        }
        WriteNames(ref writer, exchange.Returned);
    }

    public static PeerExchange Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(3);
        ImmutableArray<string> awaited = ReadNames(ref reader);
        // The reader has checked that as many elements may follow as the header says.
        int count = reader.ReadArrayHeader();
        var deliveries = ImmutableArray.CreateBuilder<PeerDelivery>();
        for (int i = 0; i < count; i++)
            deliveries.Add(ReadDelivery(ref reader));
        return new PeerExchange(awaited, deliveries.ToImmutable(), ReadNames(ref reader));
    }

    private static PeerDelivery ReadDelivery(ref MessagePackReader reader)
    {
        int fields = reader.ReadArrayHeader();
        if (fields is not (4 or 5))
            throw new MessagePackSerializationException($"a delivery has {fields} fields instead of 4 or 5");
        var delivery = new PeerDelivery(new PeerAddress(reader.ReadText(), reader.ReadText()), reader.ReadText(), ReadNames(ref reader));
        return fields == 4 ? delivery : delivery with { Encoding = reader.ReadEncoding() };
    }

    private static void WriteNames(ref MessagePackWriter writer, ImmutableArray<string> names)
    {
        writer.WriteArrayHeader(names.Length);
        foreach (string name in names)
            writer.Write(name);
    }

    private static ImmutableArray<string> ReadNames(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        var names = ImmutableArray.CreateBuilder<string>();
        for (int i = 0; i < count; i++)
            names.Add(reader.ReadText());
        return names.ToImmutable();
    }
}
