using EdgeSplit.Transport;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Validation;

/// <summary>Collects what is wrong with the options of a part, each named as an operator would write it.</summary>
internal sealed class Failures(HostedParts parts, string part)
{
    private readonly List<string> _messages = [];

    public void Add(string option, string message) => _messages.Add($"{parts.Key(part, option)}: {message}");

    public void Check(bool isFine, string option, string message)
    {
        if (!isFine)
            Add(option, message);
    }

    /// <summary>Notes what an attempt fails with.</summary>
    public void Try(string option, Action attempt)
    {
        try
        {
            attempt();
        }
        catch (Exception exception) when (exception is EdgeSplitException or ArgumentException or IOException)
        {
            Add(option, exception.Message);
        }
    }

    public void CheckAddress(string option, string? address)
    {
        if (address is not null)
            Try(option, () => HostAndPort.Parse(address));
    }

    /// <summary>Checks that the files of a connection can be read.</summary>
    public void CheckSecurity(ConnectionSecurity security, bool listens)
    {
        Try(nameof(ConnectionSecurity.TokenFile), () => security.CreateJoinToken());
        Try(nameof(ConnectionSecurity.AuthorityFile), () => security.ReadAuthorities());
        Try(nameof(ConnectionSecurity.CertificateFile), () => security.ReadCertificate()?.Dispose());
        if (listens && security.UsesTls && security.CertificateFile is null)
            Add(nameof(ConnectionSecurity.CertificateFile), "Listening with TLS needs a certificate of one's own and its key; 'edgesplit certs' makes them.");
    }

    public ValidateOptionsResult ToResult() => _messages.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(_messages);
}
