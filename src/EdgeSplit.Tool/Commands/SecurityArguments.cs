using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Tool.Commands;

/// <summary>The options by which connections are guarded, the same for every command that makes or takes some.</summary>
internal sealed class SecurityArguments
{
    private readonly Option<string> _token = new("--token")
    {
        Description = "A file with the join token; both sides need the same one. 'edgesplit certs --token' makes it.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _tls = new("--tls") { Description = "Connect with TLS and trust the authorities that this machine trusts." };
    private readonly Option<string> _authority = new("--tls-ca") { Description = "Use TLS; the other side's certificate must be from this authority.", HelpName = "FILE.crt" };
    private readonly Option<string> _certificate = new("--tls-cert") { Description = "Use TLS with this certificate of one's own; needed to listen with TLS.", HelpName = "FILE.crt" };
    private readonly Option<string> _key = new("--tls-key") { Description = "The certificate's private key. Default: the same name with .key.", HelpName = "FILE.key" };
    private readonly Option<string> _name = new("--tls-name") { Description = "The name that the other side's certificate must have. Default: the host that is connected to.", HelpName = "NAME" };

    private readonly Option<bool> _open = new("--dangerously-allow-unauthenticated-remote-connections")
    {
        Description = "Listen beyond loopback without TLS or a join token: whoever reaches the port is let in.",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_token, _tls, _authority, _certificate, _key, _name, _open])
            command.Add(option);
    }

    public bool AllowsStrangers(ParseResult result) => result.GetValue(_open);

    public JoinToken? Token(ParseResult result) => result.GetValue(_token) is { } path ? new JoinToken(File.ReadAllText(path)) : null;

    /// <summary>TLS for connecting; null without any option of it.</summary>
    public TlsClientOptions? ForConnecting(ParseResult result) =>
        result.GetValue(_tls) || result.GetValue(_authority) is not null || result.GetValue(_certificate) is not null
            ? new TlsClientOptions { Authorities = Authorities(result), Certificate = Certificate(result), ServerName = result.GetValue(_name) }
            : null;

    /// <summary>TLS for listening; null without a certificate.</summary>
    public TlsServerOptions? ForListening(ParseResult result) => Certificate(result) is { } certificate
        ? new TlsServerOptions { Certificate = certificate, ClientAuthorities = Authorities(result) }
        : result.GetValue(_tls) || result.GetValue(_authority) is not null
            ? throw new BadUsageException("Listening with TLS needs --tls-cert FILE.crt and its key; 'edgesplit certs' makes them.")
            : null;

    private X509Certificate2? Certificate(ParseResult result) => result.GetValue(_certificate) is { } path
        ? CertificateAuthority.LoadCertificate(path, result.GetValue(_key) ?? Path.ChangeExtension(path, ".key"))
        : result.GetValue(_key) is null ? null : throw new BadUsageException("--tls-key goes with --tls-cert.");

    private X509Certificate2Collection? Authorities(ParseResult result)
    {
        if (result.GetValue(_authority) is not { } path)
            return null;
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (CryptographicException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{path}' has no certificates in PEM: {exception.Message}", exception);
        }
        return authorities.Count > 0
            ? authorities
            : throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{path}' has no certificates in PEM.");
    }
}
