namespace EdgeSplit.Hosting;

/// <summary>A model that is deployed when the application starts.</summary>
public sealed class ModelHostOptions
{
    /// <summary>The path of a model file, or the name of a model in the repository.</summary>
    public string Model { get; set; } = "";

    /// <summary>The name under which it is served; null for the file's name without extension.</summary>
    public string? Name { get; set; }

    /// <summary>Requests per second that plans must sustain; 0 for not known.</summary>
    public double RequestsPerSecond { get; set; }

    /// <summary>The name under which it is served.</summary>
    internal string ServedName => Name ?? Path.GetFileNameWithoutExtension(Model);
}
