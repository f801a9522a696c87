using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Coordination;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>
/// A coordinator's deployments as models with versions: a deployment named <c>NAME.vN</c> is version N of NAME, any other is
/// version 1 of its own name.
/// </summary>
internal sealed class ServedModels(Coordinator coordinator)
{
    private const string VersionMark = ".v";

    /// <summary>All models, versions ascending.</summary>
    public ImmutableArray<ServedModel> All =>
    [
        .. coordinator.Deployments.Select(Identify).OrderBy(static model => model.Name, StringComparer.Ordinal).ThenBy(static model => model.Version),
    ];

    /// <summary>A model by name and version; the latest version where none is named.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>.</exception>
    public ServedModel Find(string name, string? version)
    {
        ImmutableArray<ServedModel> versions = VersionsOf(name);
        ServedModel? model = string.IsNullOrEmpty(version)
            ? versions.LastOrDefault()
            : versions.FirstOrDefault(model => model.VersionText == version);
        if (model is not null)
            return model;
        throw new EdgeSplitException(
            EdgeSplitError.NotFound,
            versions.IsEmpty
                ? $"Unknown model '{name}'. Deployed are: {string.Join(", ", All.Select(static model => model.Name).Distinct())}."
                : $"Model '{name}' has no version '{version}', but {string.Join(", ", versions.Select(static model => model.VersionText))}.");
    }

    /// <summary>The versions of a model, ascending.</summary>
    public ImmutableArray<ServedModel> VersionsOf(string name) =>
        // A deployment can be named in full, too.
        [.. All.Where(model => model.Name == name || model.Deployment.Name == name)];

    private static ServedModel Identify(Deployment deployment)
    {
        int mark = deployment.Name.LastIndexOf(VersionMark, StringComparison.Ordinal);
        return mark > 0
            && int.TryParse(deployment.Name.AsSpan(mark + VersionMark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int version)
            && version > 0
                ? new ServedModel(deployment.Name[..mark], version, deployment)
                : new ServedModel(deployment.Name, 1, deployment);
    }
}
