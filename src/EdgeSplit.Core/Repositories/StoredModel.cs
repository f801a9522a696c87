using EdgeSplit.Storage;

namespace EdgeSplit.Repositories;

/// <summary>A base model in a repository.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Path">The model file.</param>
/// <param name="Hash">The hash of the model file.</param>
public sealed record StoredModel(string Name, string Path, ContentHash Hash);
