using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using EdgeSplit.Costs;
using EdgeSplit.Transport;

namespace EdgeSplit.Tool.Commands;

/// <summary>Arguments and options that several commands take.</summary>
internal static class SharedArguments
{
    public static Argument<string> Model()
    {
        var argument = new Argument<string>("model") { Description = "The ONNX model file.", HelpName = "MODEL" };
        argument.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: "" }])
                result.AddError("The model's name is empty.");
        });
        return argument;
    }

    public static Option<bool> Json() => new("--json") { Description = "Print data as JSON instead of tables." };

    public static Option<string[]> Dimensions() => new("--dim")
    {
        Description = "The size to assume for a symbolic dimension, as NAME=SIZE; repeat for several.",
        HelpName = "NAME=SIZE",
        DefaultValueFactory = _ => [],
    };

    /// <summary>The agents that a coordinator connects to, over TCP or gRPC.</summary>
    public static Option<string[]> Agents()
    {
        var option = new Option<string[]>("--agent")
        {
            Description = "An agent to connect to, HOST:PORT over TCP or http(s)://HOST:PORT over gRPC; repeat for several.",
            HelpName = "ADDRESS",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        option.Validators.Add(CheckPeers);
        return option;
    }

    /// <summary>The same for addresses of either transport.</summary>
    public static void CheckPeers(OptionResult result)
    {
        foreach (Token token in result.Tokens)
        {
            if (!IsGrpc(token.Value))
                CheckAddress(token.Value, result);
            else if (!Uri.TryCreate(token.Value, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
                result.AddError($"'{token.Value}' is no address: write HOST:PORT for TCP, http://HOST:PORT or https://HOST:PORT for gRPC.");
        }
    }

    /// <summary>Whether an address says that it is reached over gRPC.</summary>
    public static bool IsGrpc(string address) => address.Contains("://", StringComparison.Ordinal);

    public static Option<PlanObjective> Objective() => new("--objective")
    {
        Description = "What the plan minimises.",
        DefaultValueFactory = _ => PlanObjective.Latency,
    };

    public static Option<int?> MaxReplicas()
    {
        Option<int?> option = new("--max-replicas")
        {
            Description = "The most devices that may hold a copy of one stage, so that requests take them in turn; 1 for none. As many as pay with --objective throughput unless stated, 1 otherwise.",
            HelpName = "N",
        };
        option.Validators.Add(static result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int count) && count < 1)
                result.AddError($"--max-replicas must be 1 or more, not {count}.");
        });
        return option;
    }

    public static Option<int> Count(string name, int defaultValue, int minimum, string description)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => defaultValue };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < minimum)
                result.AddError($"{name} must be {minimum} or more, not {value}.");
        });
        return option;
    }

    /// <summary>What is no address is bad usage, told before anything is done.</summary>
    public static void CheckAddresses(OptionResult result)
    {
        foreach (Token token in result.Tokens)
            CheckAddress(token.Value, result);
    }

    /// <summary>An address of this machine to listen on, for what takes no names.</summary>
    public static IPEndPoint ListenAddress(string text) => HostAndPort.Parse(text) switch
    {
        IPEndPoint address => address,
        DnsEndPoint { Host: "localhost" } name => new IPEndPoint(IPAddress.Loopback, name.Port),
        _ => throw new BadUsageException($"'{text}' names a host; to listen there, write an address of this machine, such as 127.0.0.1:8000 or *:8000."),
    };

    public static void CheckAddress(string address, OptionResult result)
    {
        try
        {
            HostAndPort.Parse(address);
        }
        catch (EdgeSplitException exception)
        {
            result.AddError(exception.Message);
        }
    }

    public static IReadOnlyDictionary<string, long> ParseDimensions(string[] texts)
    {
        var dimensions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            int separator = text.LastIndexOf('=');
            if (separator <= 0 || !long.TryParse(text.AsSpan(separator + 1), out long size) || size < 1)
                throw new BadUsageException($"--dim '{text}' is not NAME=SIZE with a size of 1 or more.");
            dimensions[text[..separator]] = size;
        }
        return dimensions;
    }
}
