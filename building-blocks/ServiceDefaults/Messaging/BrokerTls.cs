using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Assay.ServiceDefaults;

/// <summary>Whom a connection to the broker trusts: the system's authorities, or those of <c>RabbitMq__CaFile</c> and no others.</summary>
static class BrokerTls
{
    /// <summary>The extended key usage of a server's certificate.</summary>
    const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>How a broker's certificate is checked; null where the system's own check does.</summary>
    /// <exception cref="InvalidOperationException">The file cannot be read or holds no certificate; the message names the setting.</exception>
    public static RemoteCertificateValidationCallback? CheckFor(RabbitMqOptions options)
    {
        if (options.CaFile is not { Length: > 0 } path)
            return null;
        if (!options.UseTls)
            throw new InvalidOperationException("RabbitMq__CaFile is set, but RabbitMq__UseTls is not true: the connection would not be encrypted. Set RabbitMq__UseTls=true, or remove RabbitMq__CaFile.");
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InvalidOperationException($"Cannot read the authorities from the file '{path}' that RabbitMq__CaFile names: {exception.Message}", exception);
        }

        if (authorities.Count == 0)
            throw new InvalidOperationException($"The file '{path}' that RabbitMq__CaFile names holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----).");
        return (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors, authorities);
    }

    /// <summary>TLS 1.2 and 1.3.</summary>
    public const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    static bool IsTrusted(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors, X509Certificate2Collection authorities)
    {
        // A wrong name or no certificate is never forgiven; who signed it is decided below.
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        // A private authority seldom publishes what it revoked.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (sent is not null)
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        using var own = new X509Certificate2(certificate);
        return chain.Build(own);
    }
}
