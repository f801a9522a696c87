using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Serving;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

/// <summary>
/// Serves one agent to a coordinator that it connects to, for agents that nobody can connect to: behind a router, or at changing
/// addresses. The coordinator listens with an <see cref="AgentListener"/>, and knows the agent again by its id.
/// </summary>
/// <remarks>
/// When a connection ends, what runs for it is cancelled and what was loaded through it is unloaded; then the next is made, after
/// a wait that grows while that fails. The agent stays the caller's.
/// </remarks>
public sealed class AgentDialer
{
    private readonly IEdgeAgent _agent;
    private readonly EndPoint _coordinator;
    private readonly AgentDialerOptions _options;
    private readonly ILogger _logger;

    /// <summary>Creates a dialer that does not dial yet.</summary>
    /// <param name="agent">The agent; borrowed.</param>
    /// <param name="coordinator">Where the coordinator listens; <see cref="HostAndPort.Parse"/> makes one from text.</param>
    /// <param name="options">How to connect; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public AgentDialer(IEdgeAgent agent, EndPoint coordinator, AgentDialerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(coordinator);
        _agent = agent;
        _coordinator = coordinator;
        _options = options ?? new AgentDialerOptions();
        _options.Validate();
        _logger = _options.CreateLogger<AgentDialer>();
    }

    /// <summary>Keeps the agent connected until cancelled; what it had loaded is then unloaded.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="EdgeSplitException">The first connection is refused in a way that waiting does not mend:
    /// <see cref="EdgeSplitError.AccessDenied"/>: wrong join token or certificate; <see cref="EdgeSplitError.InvalidArgument"/>:
    /// another agent of that id is connected; <see cref="EdgeSplitError.ProtocolViolation"/>: no coordinator answers there.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string endPoint = HostAndPort.Format(_coordinator);
        Backoff backoff = _options.CreateBackoff();
        bool wasConnected = false;
        while (true)
        {
            string reason;
            try
            {
                OpenConnection open = await OpenConnection.ConnectAsync(_coordinator, PeerRole.Agent, _agent.Id, _options, cancellationToken)
                    .ConfigureAwait(false);
                wasConnected = true;
                TransportLog.Joined(_logger, _agent.Id, endPoint);
                _options.Progress?.Report(new DialProgress(true, "", TimeSpan.Zero));
                long connected = _options.TimeProvider.GetTimestamp();
                reason = await AgentSession.RunAsync(_agent, open, _options, _options.PeerAddress, _logger, cancellationToken).ConfigureAwait(false);
                backoff.Connected(_options.TimeProvider.GetElapsedTime(connected));
                cancellationToken.ThrowIfCancellationRequested();
            }
            catch (EdgeSplitException exception) when (wasConnected || exception.IsTransient)
            {
                reason = exception.Message;
            }
            TimeSpan delay = backoff.Next();
            TransportLog.Retrying(_logger, endPoint, reason, delay);
            _options.Progress?.Report(new DialProgress(false, reason, delay));
            await Task.Delay(delay, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }
}
