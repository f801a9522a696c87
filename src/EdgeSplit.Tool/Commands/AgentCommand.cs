using System.CommandLine;
using System.CommandLine.Parsing;
using EdgeSplit.Agents;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Storage;
using EdgeSplit.Transport;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit agent</c>: lets this machine run partitions for coordinators.</summary>
internal static class AgentCommand
{
    public static Command Create()
    {
        Option<string> listen = new("--listen") { Description = "Where to listen, with --join for other agents that send tensors here; port 0 takes a free one.", HelpName = "HOST:PORT", DefaultValueFactory = _ => "127.0.0.1:7311" };
        Option<string> id = new("--id") { Description = "The agent's id, unique in its fleet.", HelpName = "NAME", DefaultValueFactory = _ => DefaultId() };
        Option<int> threads = SharedArguments.Count("--threads", 1, 1, "Threads that one partition runs on.");
        Option<int> concurrent = SharedArguments.Count("--concurrent", 1, 1, "Partitions that run at the same time.");
        Option<string> blobs = new("--blobs") { Description = "A folder to keep weights in between runs. Default: a temporary one.", HelpName = "DIR" };
        Option<int?> cacheLimit = new("--cache-limit") { Description = "Keep at most so much in the folder of --blobs; what was used least recently goes first, and what is in use stays.", HelpName = "MIB" };
        cacheLimit.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, System.Globalization.CultureInfo.InvariantCulture, out int mebibytes) && mebibytes < 1)
                result.AddError($"--cache-limit must be 1 or more, not {mebibytes}.");
            if (result.GetResult(blobs) is null)
                result.AddError("--cache-limit needs --blobs DIR: a temporary folder is deleted with the agent.");
        });
        Option<int> optimizedLimit = SharedArguments.Count("--optimized-limit", 1024, 0, "Keep at most so many MiB, beside the weights and until the agent ends, of what ONNX Runtime makes of partitions: one that comes back loads in milliseconds. 0 keeps nothing.");
        Option<double> slow = new("--slow-down") { Description = "Look this many times slower, to rehearse a slow device.", HelpName = "FACTOR", DefaultValueFactory = _ => 1 };
        Option<string> join = new("--join") { Description = "Connect to a coordinator, HOST:PORT over TCP or http(s)://HOST:PORT over gRPC, and again whenever the connection is lost; listens itself only where --listen says so.", HelpName = "ADDRESS" };
        Option<string> advertise = new("--advertise") { Description = "Where other agents can reach the port of --listen, if not where it listens; *:PORT is the address at which the coordinator sees this machine.", HelpName = "HOST:PORT" };
        Option<bool> grpc = new("--grpc") { Description = "Listen for coordinators that use gRPC instead of TCP." };
        var security = new SecurityArguments();
        slow.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, System.Globalization.CultureInfo.InvariantCulture, out double factor) && !(factor >= 1))
                result.AddError($"--slow-down must be 1 or more, not {factor}.");
        });
        listen.Validators.Add(SharedArguments.CheckAddresses);
        join.Validators.Add(SharedArguments.CheckPeers);
        advertise.Validators.Add(SharedArguments.CheckAddresses);
        var command = new Command("agent", "Runs partitions on this machine, for coordinators that connect or for one that it joins, until stopped.") { listen, advertise, grpc, join, id, threads, concurrent, blobs, cacheLimit, optimizedLimit, slow };
        security.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(grpc) && result.GetValue(join) is not null)
                result.AddError("--grpc is for listening. To join over gRPC write --join http://HOST:PORT or https://HOST:PORT.");
            if (result.GetValue(advertise) is not null && (result.GetValue(grpc) || (result.GetValue(join) is { } joined && (SharedArguments.IsGrpc(joined) || !IsGiven(result.GetResult(listen))))))
                result.AddError("--advertise names a port that --listen opens over TCP.");
            if (result.GetValue(join) is { } address && SharedArguments.IsGrpc(address) && IsGiven(result.GetResult(listen)))
                result.AddError("--listen beside --join is for other agents, over TCP; over gRPC an agent joins alone.");
        });
        command.SetAction(async (result, cancellationToken) =>
        {
            NativeHeap.GiveBack();
            string? folder = result.GetValue(blobs);
            int optimizedMebibytes = result.GetValue(optimizedLimit);
            var options = new OnnxRuntimeOptions { IntraOpThreads = result.GetValue(threads) };
            using var onnx = new OnnxPartitionRuntime(optimizedMebibytes == 0
                ? options
                : options with { OptimizedModelFolder = folder ?? Path.GetTempPath(), OptimizedModelLimitBytes = (long)optimizedMebibytes << 20 });
            IPartitionRuntime runtime = result.GetValue(slow) > 1 ? new SlowedPartitionRuntime(onnx, result.GetValue(slow)) : onnx;
            using BlobCache? cache = folder is not null && result.GetValue(cacheLimit) is int limit ? new BlobCache(folder, (long)limit << 20) : null;
            // Other agents are reached as coordinators reach this one, each by the name of its own; --tls-name is the coordinator's.
            await using var peers = new TcpAgentPeers(new RemoteEdgeAgentOptions { JoinToken = security.Token(result), Tls = security.ForConnecting(result) is { } tls ? tls with { ServerName = null } : null, ConnectTimeout = TcpAgentPeers.DefaultConnectTimeout });
            await using var agent = new EdgeAgent(result.GetRequiredValue(id), runtime, new EdgeAgentOptions
            {
                BlobStore = cache ?? (IBlobStore?)(folder is null ? null : new FolderBlobStore(folder)),
                MaxConcurrentExecutions = result.GetValue(concurrent),
                Peers = peers,
            });
            string what = $"agent '{agent.Id}' ({runtime.Name}, {runtime.ExecutionProvider})";
            try
            {
                if (result.GetValue(grpc))
                {
                    await ListenForGrpcAsync(agent, what, result.GetRequiredValue(listen), security.Read(result), cancellationToken);
                    return CommandLine.Fine;
                }
                string? coordinator = result.GetValue(join);
                if (coordinator is not null && SharedArguments.IsGrpc(coordinator))
                {
                    await JoinOverGrpcAsync(agent, what, coordinator, security.ForGrpc<GrpcAgentDialerOptions>(result), cancellationToken);
                    return CommandLine.Fine;
                }
                await using AgentServer? server = coordinator is null || IsGiven(result.GetResult(listen))
                    ? await ListenAsync(agent, what, result.GetRequiredValue(listen), result.GetValue(advertise), security, result, cancellationToken)
                    : null;
                if (coordinator is not null)
                    await JoinAsync(agent, what, coordinator, server?.PeerAddress, security, result, cancellationToken);
                else
                    await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Being stopped is how an agent ends.
            }
            return CommandLine.Fine;
        });
        return command;
    }

    private static bool IsGiven(OptionResult? option) => option is { Implicit: false };

    private static async Task<AgentServer> ListenAsync(
        EdgeAgent agent, string what, string endPoint, string? peerAddress, SecurityArguments security, ParseResult result, CancellationToken cancellationToken)
    {
        var server = new AgentServer(agent, new AgentServerOptions
        {
            EndPoint = HostAndPort.Parse(endPoint),
            PeerAddress = peerAddress,
            JoinToken = security.Token(result),
            Tls = security.ForListening(result),
            DangerouslyAllowUnauthenticatedRemoteConnections = security.AllowsStrangers(result),
        });
        await server.StartAsync(cancellationToken);
        Console.Out.WriteLine($"{what} listening on {HostAndPort.Format(server.EndPoint)}");
        return server;
    }

    private static async Task ListenForGrpcAsync(EdgeAgent agent, string what, string endPoint, ConnectionSecurity security, CancellationToken cancellationToken)
    {
        await using var server = new GrpcAgentServer(agent, new GrpcAgentServerOptions
        {
            EndPoint = SharedArguments.ListenAddress(endPoint),
            Token = security.ReadToken(),
            Certificate = security.CreateServerTls()?.Certificate,
            ClientAuthorities = security.ReadAuthorities(),
            DangerouslyAllowUnauthenticatedRemoteCalls = security.DangerouslyAllowUnauthenticatedRemoteConnections,
        });
        await server.StartAsync(cancellationToken);
        Console.Out.WriteLine($"{what} listening on {server.Address}");
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private static Task JoinAsync(
        EdgeAgent agent, string what, string coordinator, string? peerAddress, SecurityArguments security, ParseResult result, CancellationToken cancellationToken)
    {
        var dialer = new AgentDialer(agent, HostAndPort.Parse(coordinator), new AgentDialerOptions
        {
            JoinToken = security.Token(result),
            Tls = security.ForConnecting(result),
            PeerAddress = peerAddress,
            Progress = Print(what, coordinator),
        });
        return dialer.RunAsync(cancellationToken);
    }

    private static Task JoinOverGrpcAsync(EdgeAgent agent, string what, string coordinator, GrpcAgentDialerOptions options, CancellationToken cancellationToken) =>
        new GrpcAgentDialer(agent, coordinator, options with { Progress = Print(what, coordinator) }).RunAsync(cancellationToken);

    private static Report Print(string what, string coordinator) => new(progress => Console.Out.WriteLine(progress.IsConnected
        ? $"{what} has joined {coordinator}"
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"not connected: {progress.Reason} Trying again in {progress.NextTry.TotalSeconds:0.0} s")));

    // Progress<T> reports later and out of order.
    private sealed class Report(Action<DialProgress> report) : IProgress<DialProgress>
    {
        void IProgress<DialProgress>.Report(DialProgress value) => report(value);
    }

    private static string DefaultId()
    {
        char[] name = [.. Environment.MachineName.Where(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')];
        return $"{(name.Length == 0 ? "agent" : new string(name))}-{Environment.ProcessId}";
    }
}
