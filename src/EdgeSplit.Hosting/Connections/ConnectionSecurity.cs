using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Hosting;

/// <summary>How connections between coordinators and agents are guarded, in terms of files.</summary>
public class ConnectionSecurity
{
    /// <summary>A file with the token that both sides share; null for none.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Connects with TLS and trusts the authorities that this machine trusts, where <see cref="AuthorityFile"/> names none.</summary>
    public bool Tls { get; set; }

    /// <summary>The authority, in PEM, that the other side's certificate must come from; null for none in particular.</summary>
    public string? AuthorityFile { get; set; }

    /// <summary>The own certificate in PEM; needed to listen with TLS.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The certificate's private key in PEM; null for the same name with the extension <c>.key</c>.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The name that the certificate of the coordinator or the agents that are connected to must have; null for the host that is connected to. Agents check each other's by their own hosts.</summary>
    public string? ServerName { get; set; }

    /// <summary>Lets in whoever reaches a port that listens beyond this machine without TLS or token. Only for networks in which everyone is trusted.</summary>
    public bool DangerouslyAllowUnauthenticatedRemoteConnections { get; set; }

    /// <summary>Whether any option of TLS is set.</summary>
    public bool UsesTls => Tls || AuthorityFile is not null || CertificateFile is not null;

    /// <summary>Reads the token; null without one.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the file cannot be read; <see cref="EdgeSplitError.InvalidArgument"/>: it is empty.</exception>
    public string? ReadToken()
    {
        if (TokenFile is null)
            return null;
        try
        {
            return File.ReadAllText(TokenFile).Trim() is { Length: > 0 } token
                ? token
                : throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The token file '{TokenFile}' is empty; 'edgesplit certs --token' makes one.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"The token file '{TokenFile}' cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads the own certificate with its private key; null without one.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/> or <see cref="EdgeSplitError.NotFound"/>: the files are not a certificate and its key.</exception>
    public X509Certificate2? ReadCertificate() => CertificateFile is not { } path
        ? null
        : CertificateAuthority.LoadCertificate(path, KeyFile ?? Path.ChangeExtension(path, ".key"));

    /// <summary>Reads the authorities; null without a file.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the file holds no certificates.</exception>
    public X509Certificate2Collection? ReadAuthorities()
    {
        if (AuthorityFile is not { } path)
            return null;
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{path}' has no certificates in PEM: {exception.Message}", exception);
        }
        return authorities.Count > 0
            ? authorities
            : throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{path}' has no certificates in PEM.");
    }

    /// <summary>The join token of the TCP transport; null without one.</summary>
    /// <exception cref="EdgeSplitException">As of <see cref="ReadToken"/>, or it is too short.</exception>
    public JoinToken? CreateJoinToken() => ReadToken() is { } token ? new JoinToken(token) : null;

    /// <summary>TLS for connecting; null without any option of it.</summary>
    /// <exception cref="EdgeSplitException">A file cannot be read.</exception>
    public TlsClientOptions? CreateClientTls() => UsesTls
        ? new TlsClientOptions { Authorities = ReadAuthorities(), Certificate = ReadCertificate(), ServerName = ServerName }
        : null;

    /// <summary>TLS for listening; null without any option of it.</summary>
    /// <exception cref="EdgeSplitException">A file cannot be read, or there is no certificate.</exception>
    public TlsServerOptions? CreateServerTls() => !UsesTls
        ? null
        : new TlsServerOptions
        {
            Certificate = ReadCertificate()
                ?? throw new EdgeSplitException(EdgeSplitError.InvalidArgument, "Listening with TLS needs a certificate of one's own and its key; 'edgesplit certs' makes them."),
            ClientAuthorities = ReadAuthorities(),
        };
}
