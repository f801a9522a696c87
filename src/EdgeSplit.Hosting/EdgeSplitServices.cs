using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EdgeSplit.Hosting;

/// <summary>Adds EdgeSplit to an application's services.</summary>
public static class EdgeSplitServices
{
    /// <summary>The section of the configuration that options come from, where none is named.</summary>
    public const string DefaultSection = "EdgeSplit";

    /// <summary>
    /// Begins to add EdgeSplit. Every part takes its options from a section of the configuration, and then from code, which has the
    /// last word; all are checked when the host starts.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="section">The section of the configuration.</param>
    /// <returns>Adds the parts.</returns>
    /// <exception cref="InvalidOperationException">EdgeSplit was added before.</exception>
    public static EdgeSplitBuilder AddEdgeSplit(this IServiceCollection services, string section = DefaultSection)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(section);
        if (services.Any(static service => service.ServiceType == typeof(HostedParts)))
            throw new InvalidOperationException($"{nameof(AddEdgeSplit)} was called before. Keep what it returned, and add to that.");
        services.AddOptions();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        var parts = new HostedParts(section);
        services.AddSingleton(parts);
        return new EdgeSplitBuilder(services, parts);
    }
}
