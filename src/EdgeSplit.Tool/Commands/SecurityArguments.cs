using System.CommandLine;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting;
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
    private readonly Option<string> _name = new("--tls-name") { Description = "The name that the certificate of whoever is connected to must have; agents check each other's by their own hosts. Default: the host that is connected to.", HelpName = "NAME" };

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

    /// <summary>What the options say.</summary>
    public ConnectionSecurity Read(ParseResult result)
    {
        if (result.GetValue(_key) is not null && result.GetValue(_certificate) is null)
            throw new BadUsageException("--tls-key goes with --tls-cert.");
        return new ConnectionSecurity
        {
            TokenFile = result.GetValue(_token),
            Tls = result.GetValue(_tls),
            AuthorityFile = result.GetValue(_authority),
            CertificateFile = result.GetValue(_certificate),
            KeyFile = result.GetValue(_key),
            ServerName = result.GetValue(_name),
            DangerouslyAllowUnauthenticatedRemoteConnections = AllowsStrangers(result),
        };
    }

    public JoinToken? Token(ParseResult result) => Read(result).CreateJoinToken();

    /// <summary>TLS for connecting; null without any option of it.</summary>
    public TlsClientOptions? ForConnecting(ParseResult result) => Read(result).CreateClientTls();

    /// <summary>How to connect over gRPC.</summary>
    public T ForGrpc<T>(ParseResult result)
        where T : GrpcConnectOptions, new()
    {
        ConnectionSecurity security = Read(result);
        return new T() with
        {
            Authorities = security.ReadAuthorities(),
            Certificate = security.ReadCertificate(),
            ServerName = security.ServerName,
            Token = security.ReadToken(),
        };
    }

    /// <summary>TLS for listening; null without any option of it.</summary>
    public TlsServerOptions? ForListening(ParseResult result)
    {
        ConnectionSecurity security = Read(result);
        return security.UsesTls && security.CertificateFile is null
            ? throw new BadUsageException("Listening with TLS needs --tls-cert FILE.crt and its key; 'edgesplit certs' makes them.")
            : security.CreateServerTls();
    }
}
