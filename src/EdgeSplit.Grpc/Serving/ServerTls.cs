using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace EdgeSplit.Grpc.Serving;

/// <summary>TLS 1.3 on a port of Kestrel's.</summary>
internal static class ServerTls
{
    /// <summary>Encrypts a port, if there is a certificate, and asks for the client's, if there are authorities to judge it.</summary>
    public static void Apply(ListenOptions listen, X509Certificate2? certificate, X509Certificate2Collection? clientAuthorities)
    {
        if (certificate is null)
            return;
        listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.SslProtocols = SslProtocols.Tls13;
            if (clientAuthorities is null)
                return;
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (client, _, _) => IsIssuedBy(client, clientAuthorities);
        });
    }

    private static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        return chain.Build(certificate);
    }
}
