using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeSplit.Transport.Security;

/// <summary>
/// A small authority that issues certificates to the agents and coordinators of one system: for tests, and for sites without
/// an authority of their own. Keys are on the curve P-256.
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int SerialNumberBytes = 16;

    // Clocks of small devices are often some minutes behind.
    private static readonly TimeSpan Backdated = TimeSpan.FromHours(1);

    private readonly TimeProvider _timeProvider;

    private CertificateAuthority(X509Certificate2 certificate, TimeProvider? timeProvider)
    {
        Certificate = certificate;
        _timeProvider = timeProvider ?? TimeProvider.System;
    }

    /// <summary>The authority's own certificate, with its private key. Give peers the certificate alone.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Makes a new authority.</summary>
    /// <param name="name">Its common name.</param>
    /// <param name="validity">How long its certificate and those that it issues are valid at most.</param>
    /// <param name="timeProvider">Tells the date; the system's clock where null.</param>
    public static CertificateAuthority Create(string name, TimeSpan validity, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        DateTimeOffset now = (timeProvider ?? TimeProvider.System).GetUtcNow();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NameOf(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new CertificateAuthority(request.CreateSelfSigned(now - Backdated, now + validity), timeProvider);
    }

    /// <summary>Takes an authority from the files that <see cref="Save"/> wrote.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/> or <see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    public static CertificateAuthority Load(string certificateFile, string keyFile, TimeProvider? timeProvider = null) =>
        new(LoadCertificate(certificateFile, keyFile), timeProvider);

    /// <summary>Reads a certificate and its private key from PEM files, such as those that <see cref="Save"/> wrote.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/> or <see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    public static X509Certificate2 LoadCertificate(string certificateFile, string keyFile)
    {
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            return WithStoredKey(certificate);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, exception.Message, exception);
        }
        catch (CryptographicException exception)
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"'{certificateFile}' and '{keyFile}' are not a certificate and its key in PEM: {exception.Message}", exception);
        }
    }

    /// <summary>Writes a certificate as <c>NAME.crt</c> and its private key, readable by its owner only, as <c>NAME.key</c>.</summary>
    public static void Save(X509Certificate2 certificate, string folder, string name)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".crt"), certificate.ExportCertificatePem() + "\n");
        using ECDsa key = certificate.GetECDsaPrivateKey()
            ?? throw new ArgumentException("The certificate has no private key on an elliptic curve.", nameof(certificate));
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(Path.Combine(folder, name + ".key"), options);
        writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Issues a certificate that serves for both sides of a connection.</summary>
    /// <param name="name">The common name: an agent's or coordinator's id.</param>
    /// <param name="hosts">The host names and IP addresses under which others connect to it; none for one that only connects.</param>
    /// <param name="validity">How long it is valid, though never longer than the authority's own.</param>
    /// <returns>The certificate with its private key; the caller disposes of it.</returns>
    public X509Certificate2 Issue(string name, IEnumerable<string> hosts, TimeSpan validity)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(hosts);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NameOf(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication), new Oid(ClientAuthentication)], critical: false));
        var alternatives = new SubjectAlternativeNameBuilder();
        bool hasHosts = false;
        foreach (string host in hosts)
        {
            hasHosts = true;
            if (IPAddress.TryParse(host, out IPAddress? address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(host);
        }
        if (hasHosts)
            request.CertificateExtensions.Add(alternatives.Build());

        DateTimeOffset now = _timeProvider.GetUtcNow();
        DateTimeOffset from = now - Backdated;
        DateTimeOffset until = now + validity;
        using X509Certificate2 signed = request.Create(
            Certificate,
            from > Certificate.NotBefore ? from : Certificate.NotBefore,
            until < Certificate.NotAfter ? until : Certificate.NotAfter,
            RandomNumberGenerator.GetBytes(SerialNumberBytes));
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);
        return WithStoredKey(withKey);
    }

    /// <summary>Disposes of the authority's certificate and key.</summary>
    public void Dispose() => Certificate.Dispose();

    // Windows' TLS takes no key that was only ever in memory, so the certificate goes through a key store format once.
    private static X509Certificate2 WithStoredKey(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);

    private static X500DistinguishedName NameOf(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        return builder.Build();
    }
}
