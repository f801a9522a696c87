using System.Collections.Immutable;
using EdgeSplit.Devices;

namespace EdgeSplit.Compression;

/// <summary>Lets each link take the encoding that moves tensors soonest, within a budget of error.</summary>
public sealed record CompressionOptions
{
    /// <summary>The most by which a transfer may change a number, relative to the largest number of its tensor.</summary>
    /// <value>Default: 0, for encodings without loss only.</value>
    public double ErrorBudget
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "An error budget is 0 or more.");
    }

    /// <summary>The encodings to choose from, with what they cost and gain where they run; the transport measures them.</summary>
    public required ImmutableArray<ActivationCompression> Choices { get; init; }

    /// <summary>
    /// A link with the best of the choices: a transfer's time is proportional to its bytes under each of them, so that what is best for
    /// a link does not depend on what is sent over it. Nothing is compressed where that would take longer.
    /// </summary>
    /// <param name="link">A link; one that states its compression keeps it.</param>
    public Link Choose(Link link)
    {
        ArgumentNullException.ThrowIfNull(link);
        if (link.Compression is not null)
            return link;
        double least = 1 / link.BytesPerSecond;
        ActivationCompression? best = null;
        foreach (ActivationCompression choice in Choices)
        {
            if (choice.LargestError <= ErrorBudget && choice.SecondsPerByte(link.BytesPerSecond) < least)
                (best, least) = (choice, choice.SecondsPerByte(link.BytesPerSecond));
        }
        return best is null ? link : link with { Compression = best };
    }
}
