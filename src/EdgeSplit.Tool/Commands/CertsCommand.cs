using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Tool.Output;
using EdgeSplit.Transport.Security;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit certs</c>: makes a test authority, certificates of it, and a join token.</summary>
internal static class CertsCommand
{
    private const string AuthorityName = "authority";
    private const string TokenName = "token";

    public static Command Create()
    {
        Argument<string[]> names = new("names")
        {
            Description = "Who gets a certificate, each with the hosts under which others connect to it, as NAME or NAME=HOST,HOST.",
            HelpName = "NAME=HOST,...",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string> output = new("--out") { Description = "The folder to write to. An authority that is there is used again.", HelpName = "DIR", DefaultValueFactory = _ => "certs" };
        Option<int> days = SharedArguments.Count("--days", 30, 1, "How long the certificates are valid.");
        Option<bool> token = new("--token") { Description = "Make a join token too, in the file 'token'." };
        Option<bool> json = SharedArguments.Json();
        var command = new Command("certs", "Makes a test authority, certificates for agents and coordinators, and a join token.") { names, output, days, token, json };
        command.SetAction(result =>
        {
            string folder = result.GetRequiredValue(output);
            List<(string Name, string[] Hosts)> wanted = [.. (result.GetValue(names) ?? []).Select(Parse)];
            TimeSpan validity = TimeSpan.FromDays(result.GetValue(days));
            using CertificateAuthority authority = OpenAuthority(folder, validity);
            List<(string Name, string File, DateTime Until)> made = [(AuthorityName, Path.Combine(folder, AuthorityName + ".crt"), authority.Certificate.NotAfter)];
            foreach ((string name, string[] hosts) in wanted)
            {
                using X509Certificate2 certificate = authority.Issue(name, hosts, validity);
                CertificateAuthority.Save(certificate, folder, name);
                made.Add((name, Path.Combine(folder, name + ".crt"), certificate.NotAfter));
            }
            string? tokenFile = result.GetValue(token) ? WriteToken(folder) : null;
            Print(made, tokenFile, result.GetValue(json));
            return CommandLine.Fine;
        });
        return command;
    }

    private static (string Name, string[] Hosts) Parse(string text)
    {
        string[] parts = text.Split('=', 2);
        string name = parts[0];
        if (name.Length == 0 || name is AuthorityName or TokenName || name.Any(static letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.')) || name[0] == '.')
            throw new BadUsageException($"'{name}' is no name for a certificate: use letters, digits, '-', '_' and '.', and neither '{AuthorityName}' nor '{TokenName}'.");
        string[] hosts = parts.Length == 2 ? parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
        foreach (string host in hosts)
        {
            if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
                throw new BadUsageException($"'{host}' is neither a host name nor an address.");
        }
        return (name, hosts);
    }

    private static CertificateAuthority OpenAuthority(string folder, TimeSpan validity)
    {
        string certificate = Path.Combine(folder, AuthorityName + ".crt");
        if (File.Exists(certificate))
            return CertificateAuthority.Load(certificate, Path.Combine(folder, AuthorityName + ".key"));
        CertificateAuthority authority = CertificateAuthority.Create("EdgeSplit test authority", validity);
        CertificateAuthority.Save(authority.Certificate, folder, AuthorityName);
        return authority;
    }

    /// <summary>Writes a new token that only its owner can read; one that is there stays.</summary>
    private static string WriteToken(string folder)
    {
        string path = Path.Combine(folder, TokenName);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (!File.Exists(path))
        {
            using var writer = new StreamWriter(path, options);
            writer.WriteLine(JoinToken.Create());
        }
        return path;
    }

    private static void Print(List<(string Name, string File, DateTime Until)> made, string? tokenFile, bool json)
    {
        if (json)
        {
            Json.Print(new { certificates = made.Select(static certificate => new { certificate.Name, certificate.File, certificate.Until }), tokenFile });
            return;
        }
        Table table = Tables.Create("Certificates", "name", "file", "valid until");
        foreach ((string name, string file, DateTime until) in made)
            table.Add(name, file, until.ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture));
        if (tokenFile is not null)
            table.Add("join token", tokenFile, "");
        Tables.Console.Write(table);
    }
}
