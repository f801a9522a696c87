using System.CommandLine;
using EdgeSplit.Agents;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Storage;
using EdgeSplit.Transport;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit agent</c>: lets this machine run partitions for coordinators.</summary>
internal static class AgentCommand
{
    public static Command Create()
    {
        Option<string> listen = new("--listen") { Description = "Where to listen; port 0 takes a free one.", HelpName = "HOST:PORT", DefaultValueFactory = _ => "127.0.0.1:7311" };
        Option<string> id = new("--id") { Description = "The agent's id, unique in its fleet.", HelpName = "NAME", DefaultValueFactory = _ => DefaultId() };
        Option<int> threads = SharedArguments.Count("--threads", 1, 1, "Threads that one partition runs on.");
        Option<int> concurrent = SharedArguments.Count("--concurrent", 1, 1, "Partitions that run at the same time.");
        Option<string> blobs = new("--blobs") { Description = "A folder to keep weights in between runs. Default: a temporary one.", HelpName = "DIR" };
        Option<double> slow = new("--slow-down") { Description = "Look this many times slower, to rehearse a slow device.", HelpName = "FACTOR", DefaultValueFactory = _ => 1 };
        Option<bool> open = new("--dangerously-allow-unauthenticated-remote-connections")
        {
            Description = "Listen beyond loopback without TLS or a join token: whoever reaches the port can run models here.",
        };
        slow.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, System.Globalization.CultureInfo.InvariantCulture, out double factor) && !(factor >= 1))
                result.AddError($"--slow-down must be 1 or more, not {factor}.");
        });
        listen.Validators.Add(SharedArguments.CheckAddresses);
        var command = new Command("agent", "Runs partitions on this machine for coordinators that connect, until stopped.") { listen, id, threads, concurrent, blobs, slow, open };
        command.SetAction(async (result, cancellationToken) =>
        {
            IPartitionRuntime runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = result.GetValue(threads) });
            if (result.GetValue(slow) > 1)
                runtime = new SlowedPartitionRuntime(runtime, result.GetValue(slow));
            string? folder = result.GetValue(blobs);
            await using var agent = new EdgeAgent(result.GetRequiredValue(id), runtime, new EdgeAgentOptions
            {
                BlobStore = folder is null ? null : new FolderBlobStore(folder),
                MaxConcurrentExecutions = result.GetValue(concurrent),
            });
            await using var server = new AgentServer(agent, new AgentServerOptions
            {
                EndPoint = HostAndPort.Parse(result.GetRequiredValue(listen)),
                DangerouslyAllowUnauthenticatedRemoteConnections = result.GetValue(open),
            });
            await server.StartAsync(cancellationToken);
            Console.Out.WriteLine($"agent '{agent.Id}' ({runtime.Name}, {runtime.ExecutionProvider}) listening on {HostAndPort.Format(server.EndPoint)}");
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Being stopped is how an agent ends.
            }
            return CommandLine.Fine;
        });
        return command;
    }

    private static string DefaultId()
    {
        char[] name = [.. Environment.MachineName.Where(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')];
        return $"{(name.Length == 0 ? "agent" : new string(name))}-{Environment.ProcessId}";
    }
}
