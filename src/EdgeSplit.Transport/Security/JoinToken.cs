using System.Security.Cryptography;
using System.Text;

namespace EdgeSplit.Transport.Security;

/// <summary>
/// A secret that agents and coordinators of one system share. Each side proves to the other that it knows the token
/// without sending it.
/// </summary>
/// <remarks>
/// Whoever watches a connection without TLS can try tokens against what he saw, so a token must not be guessable:
/// <see cref="Create"/> makes one of 256 random bits.
/// </remarks>
public sealed class JoinToken
{
    private const int MinLength = 16;
    private const int RandomBytes = 32;
    private readonly byte[] _key;

    /// <summary>Takes a token from its text, such as the content of a file.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: shorter than 16 characters.</exception>
    public JoinToken(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim();
        if (text.Length < MinLength)
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument,
                $"The join token has {text.Length} characters; it needs at least {MinLength}. 'edgesplit certs --token' makes one.");
        }
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(text), SHA256.HashSizeInBytes, info: "EdgeSplit join token 1"u8.ToArray());
    }

    /// <summary>Makes the text of a new token of 256 random bits.</summary>
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>The proof for one side of one handshake.</summary>
    internal byte[] Prove(string side, ReadOnlySpan<byte> transcriptHash)
    {
        byte[] said = [.. Encoding.ASCII.GetBytes(side), .. transcriptHash];
        return HMACSHA256.HashData(_key, said);
    }

    /// <summary>Whether a proof is right, in a time that does not depend on where it is wrong.</summary>
    internal bool Verify(string side, ReadOnlySpan<byte> transcriptHash, ReadOnlySpan<byte> proof) =>
        CryptographicOperations.FixedTimeEquals(Prove(side, transcriptHash), proof);
}
