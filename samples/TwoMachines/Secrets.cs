using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Transport.Security;

namespace TwoMachines;

/// <summary>What one side needs to prove who it is and to know the other: a certificate, the authority of both, the shared token.</summary>
internal sealed record Secrets(X509Certificate2 Certificate, X509Certificate2Collection Authorities, JoinToken Token)
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(30);

    /// <summary>Makes them for both sides, as <c>edgesplit certs agent coordinator --token</c> does.</summary>
    public static void Create(string folder)
    {
        Directory.CreateDirectory(folder);
        using CertificateAuthority authority = CertificateAuthority.Create("TwoMachines", Validity);
        CertificateAuthority.Save(authority.Certificate, folder, "authority");
        foreach (string name in (string[])["agent", "coordinator"])
        {
            using X509Certificate2 certificate = authority.Issue(name, ["127.0.0.1", "localhost", Environment.MachineName], Validity);
            CertificateAuthority.Save(certificate, folder, name);
        }
        File.WriteAllText(Path.Combine(folder, "token"), JoinToken.Create());
    }

    /// <summary>Reads those of one side. A real agent gets its own certificate, <c>authority.crt</c> and <c>token</c>, and nothing else.</summary>
    public static Secrets Load(string folder, string name) => new(
        CertificateAuthority.LoadCertificate(Path.Combine(folder, $"{name}.crt"), Path.Combine(folder, $"{name}.key")),
        [X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "authority.crt"))],
        new JoinToken(File.ReadAllText(Path.Combine(folder, "token"))));
}
