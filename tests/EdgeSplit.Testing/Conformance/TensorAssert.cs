using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Conformance;

/// <summary>Asserts on tensors.</summary>
public static class TensorAssert
{
    /// <summary>Expects the same names, types, shapes and, bit for bit, elements.</summary>
    public static void AreIdentical(IReadOnlyDictionary<string, Tensor> actual, IReadOnlyDictionary<string, Tensor> expected)
    {
        Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
        foreach ((string name, Tensor tensor) in expected)
        {
            Assert.That(actual[name].ElementType, Is.EqualTo(tensor.ElementType), name);
            Assert.That(actual[name].Shape, Is.EqualTo(tensor.Shape), name);
            if (tensor.ElementType == TensorElementType.String)
                Assert.That(actual[name].Strings, Is.EqualTo(tensor.Strings), name);
            else
                Assert.That(actual[name].Bytes.Span.SequenceEqual(tensor.Bytes.Span), $"'{name}' has other elements than expected.");
        }
    }
}
