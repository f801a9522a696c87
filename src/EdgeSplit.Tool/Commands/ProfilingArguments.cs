using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Onnx;
using EdgeSplit.Tensors;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary>Whether and how a command measures a model's layers on agents.</summary>
internal sealed class ProfilingArguments
{
    private readonly Option<double?> _seconds = new("--profile") { Description = "Measure the model's layers on each agent for about so long, rather than estimate them.", HelpName = "SECONDS" };
    private readonly Option<string> _cache = new("--profile-cache") { Description = "A folder that keeps what was measured, by model, agent and runtime version.", HelpName = "DIR" };

    public ProfilingArguments() => _seconds.Validators.Add(option =>
    {
        if (option.Tokens.Count == 1 && double.TryParse(option.Tokens[0].Value, CultureInfo.InvariantCulture, out double seconds) && !(seconds > 0 && seconds <= 3600))
            option.AddError($"--profile must be above 0 and at most 3600 seconds, not {option.Tokens[0].Value}.");
    });

    public void AddTo(Command command)
    {
        command.Add(_seconds);
        command.Add(_cache);
    }

    public Settings Read(ParseResult result) => new(result.GetValue(_seconds), result.GetValue(_cache));

    internal sealed record Settings(double? Seconds, string? CacheFolder)
    {
        /// <summary>Measures on all agents of a coordinator where that was asked for; else gives nothing.</summary>
        public async Task<ImmutableDictionary<string, ImmutableArray<double>>> ProfileAsync(
            OnnxModel model, IReadOnlyDictionary<string, Tensor> inputs, Coordinator coordinator, CancellationToken cancellationToken)
        {
            if (Seconds is not double seconds)
                return ImmutableDictionary<string, ImmutableArray<double>>.Empty;
            var options = new AgentProfilerOptions { Duration = TimeSpan.FromSeconds(seconds), CacheFolder = CacheFolder };
            return await Tables.Status.Progress().AutoClear(true).StartAsync(async context =>
            {
                ProgressTask task = context.AddTask($"profiling on {coordinator.Agents.Length} agents", maxValue: 1);
                return await coordinator.ProfileAsync(model, inputs, options, new Progress<double>(share => task.Value = share), cancellationToken);
            });
        }
    }
}
