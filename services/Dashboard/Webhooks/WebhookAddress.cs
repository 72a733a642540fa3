using System.Net;
using System.Net.Sockets;
using Assay.ServiceDefaults.Network;

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
            var addresses = await GuardedConnection.ResolveAsync(uri.DnsSafeHost, cancellationToken);
            return Array.Find(addresses, address => !IsAllowed(address, allowPrivate)) is { } inside
                ? $"its host leads to {inside}, which is not a public address{(allowPrivate ? ", nor one of a private network (link-local addresses are never called)" : "; receivers inside the network need Dashboard__AllowPrivateWebhooks")}"
                : null;
        }
        catch (SocketException exception)
        {
            return $"its host cannot be found: {exception.Message}";
        }
    }

    public static SocketsHttpHandler Handler(bool allowPrivate) => new()
    {
        AllowAutoRedirect = false,
        ConnectCallback = (context, cancellationToken) => GuardedConnection.ConnectAsync(context.DnsEndPoint, address => IsAllowed(address, allowPrivate),
            allowPrivate ? "link-local addresses are never called" : "webhooks are not sent inside the network unless Dashboard__AllowPrivateWebhooks is true", cancellationToken),
    };

    internal static bool IsAllowed(IPAddress address, bool allowPrivate) => address.Reach() switch
    {
        AddressReach.Public => true,
        AddressReach.Private or AddressReach.Loopback => allowPrivate,
        _ => false,
    };
}
