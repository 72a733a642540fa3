using System.Net;
using System.Net.Sockets;

namespace Assay.Dashboard.Webhooks;

/// <summary>Which addresses may be called. A webhook must not be a way into the network that this service stands in.</summary>
static class WebhookAddress
{
    /// <summary>What is wrong with a URL; null if it may be called.</summary>
    public static async Task<string?> ProblemAsync(string url, bool allowPrivate, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp))
            return "it is not an http or https URL";
        if (uri.UserInfo.Length > 0)
            return "it holds a user name or password; deliveries are signed instead";
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(uri.DnsSafeHost, cancellationToken);
            return allowPrivate ? null : addresses.FirstOrDefault(address => !IsPublic(address)) is { } inside ? $"its host leads to {inside}, which is not a public address" : null;
        }
        catch (SocketException exception)
        {
            return $"its host cannot be found: {exception.Message}";
        }
    }

    /// <summary>Connects only to public addresses: checked at the very connection, so that a name cannot change in between.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        var open = addresses.Where(IsPublic).ToArray();
        if (open.Length == 0)
            throw new HttpRequestException($"{context.DnsEndPoint.Host} leads to no public address; webhooks are not sent inside the network.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(open, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast)
            return false;
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return true;
        var b = address.GetAddressBytes();
        return !(b[0] is 0 or 10 or 127 or >= 224 || (b[0] == 100 && b[1] is >= 64 and < 128) || (b[0] == 169 && b[1] == 254) || (b[0] == 172 && b[1] is >= 16 and < 32) || (b[0] == 192 && b[1] == 168) || (b[0] == 198 && b[1] is (18 or 19)));
    }
}
