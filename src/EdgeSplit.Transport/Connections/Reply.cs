using EdgeSplit.Tensors;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>An answer to a request.</summary>
/// <param name="Payload">The arguments.</param>
/// <param name="Tensors">The body.</param>
/// <param name="Owner">What to dispose of when the answer was sent; as a rule, what owns the tensors.</param>
internal readonly record struct Reply(Payload Payload, IReadOnlyDictionary<string, Tensor>? Tensors = null, IDisposable? Owner = null);
