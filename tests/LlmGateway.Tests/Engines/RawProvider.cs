using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Assay.LlmGateway.Tests.Engines;

/// <summary>A provider that answers with exactly these bytes, for what no well-meaning server library would send.</summary>
sealed class RawProvider : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly Func<NetworkStream, CancellationToken, Task> answer;
    readonly Task serving;
    readonly List<string> requests = [];

    public RawProvider(Func<NetworkStream, CancellationToken, Task> answer)
    {
        this.answer = answer;
        listener.Start();
        serving = ServeAsync();
    }

    public RawProvider(string body, int status = 200) : this(Encoding.UTF8.GetBytes(body), status)
    {
    }

    public RawProvider(byte[] body, int status = 200) : this((stream, ct) => RespondAsync(stream, body, status, ct))
    {
    }

    public string BaseUrl => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/v1");

    /// <summary>Head and body of what arrived.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (requests)
                return [.. requests];
        }
    }

    public static async Task RespondAsync(NetworkStream stream, ReadOnlyMemory<byte> body, int status, CancellationToken ct, string headers = "")
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {body.Length}\r\nConnection: close\r\n\r\n")), ct);
        await stream.WriteAsync(body, ct);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        try
        {
            await serving;
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The listener was stopped.
        }
        stop.Dispose();
    }

    async Task ServeAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            using var client = await listener.AcceptTcpClientAsync(stop.Token);
            await using var stream = client.GetStream();
            try
            {
                var request = await ReadAsync(stream, stop.Token);
                lock (requests)
                    requests.Add(request);
                await answer(stream, stop.Token);
                client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception gone) when (gone is IOException or SocketException)
            {
                // The engine has read enough and closed.
            }
        }
    }

    static async Task<string> ReadAsync(NetworkStream stream, CancellationToken ct)
    {
        var text = new StringBuilder();
        var buffer = new byte[16384];
        while (true)
        {
            var read = await stream.ReadAsync(buffer, ct);
            if (read == 0)
                return text.ToString();
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            var request = text.ToString();
            var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0)
                continue;
            var length = request.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            if (length is null || request.Length >= end + 4 + int.Parse(length["Content-Length:".Length..], CultureInfo.InvariantCulture))
                return request;
        }
    }
}
