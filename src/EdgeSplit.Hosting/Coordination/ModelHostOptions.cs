namespace EdgeSplit.Hosting;

/// <summary>A model that is deployed when the application starts.</summary>
public sealed class ModelHostOptions
{
    /// <summary>The path of a model file, or the name of a model in the repository.</summary>
    public string Model { get; set; } = "";

    /// <summary>The name under which it is served; null for the file's name without extension, or the name in the repository.</summary>
    public string? Name { get; set; }

    /// <summary>Requests per second that plans must sustain; 0 for not known.</summary>
    public double RequestsPerSecond { get; set; }

    /// <summary>The name under which it is served.</summary>
    internal string ServedName => Name ?? (IsNameInRepository ? Model : Path.GetFileNameWithoutExtension(Model));

    // Names may have dots that begin no extension, as in resnet50-v1.5.
    private bool IsNameInRepository => Path.GetFileName(Model) == Model && !Model.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);
}
