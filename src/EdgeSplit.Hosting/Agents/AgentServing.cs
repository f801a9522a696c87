using System.Net;

namespace EdgeSplit.Hosting;

/// <summary>Where an application's agent can be reached, and whether it has a coordinator.</summary>
public sealed class AgentServing
{
    private volatile string? _problem = "The agent has not started yet.";

    /// <summary>Where coordinators connect over TCP, with the port that was given out; null where it does not listen.</summary>
    public EndPoint? TcpEndPoint { get; internal set; }

    /// <summary>Where coordinators connect over gRPC, with the port that was given out; null where it does not listen on a port of its own.</summary>
    public string? GrpcAddress { get; internal set; }

    /// <summary>Why no coordinator can use the agent now; null while one can.</summary>
    public string? Problem { get => _problem; internal set => _problem = value; }
}
