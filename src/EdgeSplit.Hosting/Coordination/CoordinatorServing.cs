using System.Net;

namespace EdgeSplit.Hosting;

/// <summary>Where an application's coordinator can be reached.</summary>
public sealed class CoordinatorServing
{
    /// <summary>Where agents join over TCP, with the port that was given out; null where none may.</summary>
    public EndPoint? JoinEndPoint { get; internal set; }
}
