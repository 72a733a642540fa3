using System.Net;
using System.Net.Sockets;

namespace Assay.ServiceDefaults.Network;

/// <summary>A connection to allowed addresses only: judged at the very connection, so that a name cannot change its address in between.</summary>
public static class GuardedConnection
{
    /// <summary>Where a host leads. A literal address is judged as it is: the resolver refuses the unspecified ones as wrong arguments.</summary>
    /// <exception cref="SocketException">There is no such host.</exception>
    public static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);

    /// <exception cref="HttpRequestException">The host has no allowed address; the message ends with <paramref name="advice"/>.</exception>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, Predicate<IPAddress> isAllowed, string advice, CancellationToken cancellationToken)
    {
        var allowed = Array.FindAll(await ResolveAsync(endPoint.Host, cancellationToken), isAllowed);
        if (allowed.Length == 0)
            throw new HttpRequestException(HttpRequestError.ConnectionError, $"'{endPoint.Host}' resolves to no address that may be connected to; {advice}.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(allowed, endPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
