using System.Net;
using System.Net.Sockets;

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
            ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint,
                // A proxy is named by whoever runs this process and may well be private; what lies behind it is the proxy's to judge.
                isEngine: string.Equals(context.DnsEndPoint.Host, baseAddress.IdnHost.Trim('[', ']'), StringComparison.OrdinalIgnoreCase), loopbackHost, privateNetwork, ct),
        };
    }

    static async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, bool isEngine, bool loopbackHost, bool privateNetwork, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(endPoint.Host, ct);
        var allowed = isEngine ? Array.FindAll(addresses, address => IsAllowed(address, loopbackHost, privateNetwork)) : addresses;
        if (allowed.Length == 0)
            throw new HttpRequestException(HttpRequestError.ConnectionError, $"'{endPoint.Host}' resolves to no address that this engine may connect to; see the engine's setting AllowPrivateNetwork.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(allowed, endPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal static bool IsAllowed(IPAddress address, bool loopbackHost, bool privateNetwork)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address))
            return loopbackHost;
        if (loopbackHost)
            return false;
        return Reach(address) switch { AddressReach.Public => true, AddressReach.Private => privateNetwork, _ => false };
    }

    enum AddressReach
    {
        Public,
        Private,
        Never,
    }

    static AddressReach Reach(IPAddress address)
    {
        if (address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.IPv6None))
            return AddressReach.Never;
        if (address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal)
            return AddressReach.Private;
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return EmbeddedIPv4(address) is { } inner ? Reach(inner) : AddressReach.Public;
        var bytes = address.GetAddressBytes();
        return bytes switch
        {
            [0, ..] or [>= 224, ..] or [169, 254, ..] => AddressReach.Never,
            [10, ..] or [127, ..] or [172, >= 16 and <= 31, ..] or [192, 168, ..] or [100, >= 64 and <= 127, ..] or [192, 0, 0, _] or [198, 18 or 19, ..] => AddressReach.Private,
            _ => AddressReach.Public,
        };
    }

    // NAT64 (64:ff9b::/96) and 6to4 (2002::/16) carry an IPv4 address that must be judged too.
    static IPAddress? EmbeddedIPv4(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return bytes switch
        {
            [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ..] => new IPAddress(bytes.AsSpan(12, 4)),
            [0x20, 0x02, ..] => new IPAddress(bytes.AsSpan(2, 4)),
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => new IPAddress(bytes.AsSpan(12, 4)),
            _ => null,
        };
    }
}
