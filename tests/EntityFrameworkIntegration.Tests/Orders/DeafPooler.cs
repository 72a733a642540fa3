using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests.Orders;

/// <summary>
/// Stands between PostgreSQL and its clients as a pooler in transaction mode does for one that listens: LISTEN succeeds, and of the
/// announcements (NotificationResponse) none arrives, because the session that listens is no longer the client's.
/// </summary>
internal sealed class DeafPooler : IAsyncDisposable
{
    private const byte NotificationResponse = (byte)'A';
    private const int HeaderLength = 5;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _server;
    private readonly Task _accepting;
    private int _swallowed;

    public DeafPooler(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Whether announcements do arrive.</summary>
    public bool PassesAnnouncements { get; set; }

    /// <summary>Announcements that never arrived.</summary>
    public int Swallowed => Volatile.Read(ref _swallowed);

    /// <summary>The same database, reached through the pooler; unencrypted, so that its messages can be told apart.</summary>
    public string Through(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = PassAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task PassAsync(TcpClient near)
    {
        using var client = near;
        using var server = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _server, _stop.Token);
            await Task.WhenAny(near.GetStream().CopyToAsync(server.GetStream(), _stop.Token), AnswerAsync(server.GetStream(), near.GetStream()));
        }
        catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException)
        {
            // Either end hung up.
        }
    }

    private async Task AnswerAsync(NetworkStream from, NetworkStream to)
    {
        var header = new byte[HeaderLength];
        while (true)
        {
            await from.ReadExactlyAsync(header, _stop.Token);
            // The length counts itself, not the type.
            var body = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - sizeof(int)];
            await from.ReadExactlyAsync(body, _stop.Token);
            if (header[0] == NotificationResponse && !PassesAnnouncements)
            {
                Interlocked.Increment(ref _swallowed);
                continue;
            }

            await to.WriteAsync((byte[])[.. header, .. body], _stop.Token);
        }
    }
}
