using System.Net;
using Assay.ServiceDefaults.Network;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>Where an engine may send: public addresses by default, this machine when it is named, private networks only by setting.</summary>
internal static class EngineAddress
{
    /// <summary>Why this base address is not allowed; null if it is.</summary>
    public static string? Refusal(Uri address, bool privateNetwork)
    {
        if (address.Scheme is not ("http" or "https"))
            return "must begin with https:// or, on this machine or a private network, http://";
        if (address.UserInfo.Length > 0)
            return "must not hold a user name or password; set ApiKey or ApiKeyFile";
        if (address.Query.Length > 0 || address.Fragment.Length > 0)
            return "must be a plain address without '?' and '#'";
        if (IsLoopback(address))
            return null;
        if (IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var literal) && !IsAllowed(literal, loopbackHost: false, privateNetwork))
            return "is an address of a private network; set AllowPrivateNetwork to true if that is meant (link-local addresses are never allowed)";
        if (address.Scheme == "http" && !privateNetwork)
            return "must begin with https://, or the key travels in the clear; http:// is for this machine, or for a private network with AllowPrivateNetwork set to true";
        return null;
    }

    public static bool IsLoopback(Uri address) =>
        string.Equals(address.IdnHost, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var literal) && IPAddress.IsLoopback(literal));

    /// <summary>The handler that connects only to allowed addresses, whatever a name resolves to at that moment.</summary>
    public static SocketsHttpHandler Handler(Uri baseAddress, bool privateNetwork)
    {
        var loopbackHost = IsLoopback(baseAddress);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !loopbackHost,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(50),
            MaxResponseDrainSize = 0,
            ConnectCallback = (context, ct) =>
            {
                // A proxy is named by whoever runs this process and may well be private; what lies behind it is the proxy's to judge.
                var isEngine = string.Equals(context.DnsEndPoint.Host, baseAddress.IdnHost.Trim('[', ']'), StringComparison.OrdinalIgnoreCase);
                return GuardedConnection.ConnectAsync(context.DnsEndPoint, address => !isEngine || IsAllowed(address, loopbackHost, privateNetwork), "see the engine's setting AllowPrivateNetwork", ct);
            },
        };
    }

    internal static bool IsAllowed(IPAddress address, bool loopbackHost, bool privateNetwork) => address.Reach() switch
    {
        AddressReach.Loopback => loopbackHost,
        AddressReach.Public => !loopbackHost,
        AddressReach.Private => !loopbackHost && privateNetwork,
        _ => false,
    };
}
