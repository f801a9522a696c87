namespace EdgeSplit.Storage;

/// <summary>Names a blob (a weight, as a rule) by its content.</summary>
/// <param name="Hash">The SHA-256 of the content.</param>
/// <param name="ByteCount">The length of the content in bytes.</param>
public readonly record struct BlobReference(ContentHash Hash, long ByteCount);
