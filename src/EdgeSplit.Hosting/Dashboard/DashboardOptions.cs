namespace EdgeSplit.Hosting;

/// <summary>Who may see and do what on the dashboard.</summary>
public sealed record DashboardOptions
{
    /// <summary>
    /// The token that allows actions, from any machine, and that lets other machines see the dashboard; null for a dashboard that is
    /// read-only and for this machine alone. At least 16 characters.
    /// </summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: it is shorter.</exception>
    public string? Token
    {
        get;
        init
        {
            const int MinLength = 16;
            if (value?.Trim() is { Length: < MinLength } token)
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The dashboard's token has {token.Length} characters; it needs at least {MinLength}.");
            field = value?.Trim();
        }
    }

    /// <summary>Lets other machines see the dashboard without a token. Actions need the token all the same.</summary>
    public bool DangerouslyAllowRemoteViewers { get; init; }

    /// <summary>The time between two updates of a page.</summary>
    /// <value>Default: 500 ms.</value>
    public TimeSpan UpdateInterval
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time between updates is more than 0.");
    } = TimeSpan.FromMilliseconds(500);
}
