namespace EdgeSplit.Coordination;

/// <summary>What a request may say beside its inputs.</summary>
public sealed record RequestOptions
{
    /// <summary>
    /// Who asks. While requests wait for their turn, one of each client is let in after the other, and a full queue first turns away
    /// requests of the client that has most of them waiting, so that no client is held up by one that floods.
    /// </summary>
    /// <value>Default: empty, the client of all requests without a name.</value>
    public string Client { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = "";
}
