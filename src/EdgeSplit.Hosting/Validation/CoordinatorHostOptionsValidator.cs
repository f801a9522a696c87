using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Validation;

internal sealed class CoordinatorHostOptionsValidator(HostedParts parts) : IValidateOptions<CoordinatorHostOptions>
{
    public ValidateOptionsResult Validate(string? name, CoordinatorHostOptions options)
    {
        var failures = new Failures(parts, EdgeSplitBuilder.CoordinatorPart);
        failures.Check(options.MinimumAgents >= 0, nameof(options.MinimumAgents), $"It must be 0 or more, not {options.MinimumAgents}.");
        failures.Check(options.MinimumAgents > 0 || options.RunsLayers, nameof(options.MinimumAgents), $"Without agents the coordinator must run layers itself: set {nameof(options.RunsLayers)}.");
        failures.Check(options.MaxInFlightRequests >= 1, nameof(options.MaxInFlightRequests), $"It must be 1 or more, not {options.MaxInFlightRequests}.");
        failures.Check(options.MaxQueuedRequests >= 0, nameof(options.MaxQueuedRequests), $"It must be 0 or more, not {options.MaxQueuedRequests}.");
        failures.Check(options.StageWindow >= 1, nameof(options.StageWindow), $"It must be 1 or more, not {options.StageWindow}.");
        failures.Check(options.MaxBatch >= 1, nameof(options.MaxBatch), $"It must be 1 or more, not {options.MaxBatch}.");
        failures.Check(options.MaxBatchDelay >= TimeSpan.Zero && options.MaxBatchDelay <= TimeSpan.FromMinutes(1), nameof(options.MaxBatchDelay), $"It must be from 0 to 60 seconds, not {options.MaxBatchDelay}.");
        failures.Check(options.CompressionErrorBudget is null or >= 0, nameof(options.CompressionErrorBudget), $"It must be 0 or more, not {options.CompressionErrorBudget}.");
        failures.Check(options.MaximumReplicas is null or >= 1, nameof(options.MaximumReplicas), $"A stage is on 1 device or more, not {options.MaximumReplicas}.");
        failures.Check(Enum.IsDefined(options.Objective), nameof(options.Objective), $"There is no objective {options.Objective}.");
        failures.Check(IsId(options.Id), nameof(options.Id), "It must be 1 to 64 letters, digits, '-', '_' and '.'.");
        for (int i = 0; i < options.Models.Count; i++)
        {
            ModelHostOptions model = options.Models[i];
            string key = $"{nameof(options.Models)}:{i}:{nameof(model.Model)}";
            if (string.IsNullOrWhiteSpace(model.Model))
                failures.Add(key, "It is empty; give the path of a model file, or the name of a model in the repository.");
            else if (options.Repository is null && Path.HasExtension(model.Model) && !File.Exists(model.Model))
                failures.Add(key, $"There is no file '{Path.GetFullPath(model.Model)}'.");
            failures.Check(double.IsFinite(model.RequestsPerSecond) && model.RequestsPerSecond >= 0, $"{nameof(options.Models)}:{i}:{nameof(model.RequestsPerSecond)}", "It must be a finite number of 0 or more.");
        }
        foreach (IGrouping<string, ModelHostOptions> same in options.Models.GroupBy(static model => model.ServedName).Where(static group => group.Count() > 1))
            failures.Add(nameof(options.Models), $"Two models are named '{same.Key}'; set {nameof(ModelHostOptions.Name)} to tell them apart.");
        return failures.ToResult();
    }

    internal static bool IsId(string id) => id.Length is >= 1 and <= 64 && id.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
