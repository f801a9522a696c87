using System.Security.Cryptography;
using CsCheck;
using EdgeSplit.Storage;

namespace EdgeSplit.Tests.Storage;

public sealed class ContentHashTests
{
    [Test]
    public void ToString_then_TryParse_is_the_identity() => Gen.Byte.Array[32].Sample(static bytes =>
    {
        var hash = new ContentHash(bytes);
        return hash.ToString() == Convert.ToHexStringLower(bytes)
            && ContentHash.TryParse(hash.ToString(), out ContentHash lower) && lower == hash
            && ContentHash.TryParse(hash.ToString().ToUpperInvariant(), out ContentHash upper) && upper == hash;
    });

    [Test]
    public void Compare_orders_as_the_text_does() => Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[32]).Sample(static (left, right) =>
    {
        ContentHash first = new(left), second = new(right);
        return Math.Sign(first.CompareTo(second)) == Math.Sign(string.CompareOrdinal(first.ToString(), second.ToString()))
            && first.Equals(second) == (first.CompareTo(second) == 0);
    });

    [Test]
    public void Of_is_the_sha256() =>
        Assert.That(ContentHash.Of("content"u8).ToString(), Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData("content"u8))));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("0123")]
    [TestCase("zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [TestCase("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0")]
    public void TryParse_of_something_else_is_false(string? text) => Assert.That(ContentHash.TryParse(text, out _), Is.False);
}
