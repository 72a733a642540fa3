using System.Net.Http.Json;
using System.Text.Json;

namespace Assay.TestServers;

/// <summary>The shared fake provider (OpenAI, Anthropic and Gemini wire formats) that counts every paid call; a child process on a free loopback port.</summary>
public sealed class FakeLlm : IAsyncDisposable
{
    private static readonly Lazy<Task<FakeLlm>> SharedProvider = new(() => StartAsync());
    private readonly HttpClient _client;
    private readonly ServerProcess _server;

    private FakeLlm(ServerProcess server, int port)
    {
        _server = server;
        Port = port;
        _client = new HttpClient { BaseAddress = BaseUrl, Timeout = TimeSpan.FromSeconds(20) };
    }

    /// <summary>One provider for the whole test process, started by whoever asks first and killed when the process exits.</summary>
    public static Task<FakeLlm> Shared => SharedProvider.Value;

    public int Port { get; }
    public Uri BaseUrl => new($"http://127.0.0.1:{Port}/");

    /// <summary>Starts the provider.</summary>
    /// <param name="options">Its flags without dashes, for example <c>latency=5</c>, <c>p429=0.1</c>.</param>
    public static async Task<FakeLlm> StartAsync(params string[] options)
    {
        var script = SharedFolder.Find("tools/fakellm/server.mjs");
        var port = Loopback.FreePort();
        ServerProcess server;
        try
        {
            server = ServerProcess.Start("node", [script, $"--port={port}", .. options.Select(option => $"--{option}")], Path.GetTempPath());
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new ServerMissingException("Node.js (node)", "nodejs", "PATH");
        }

        await server.WaitUntilAsync("The fake provider", stop => Loopback.AcceptsAsync(port, stop), TimeSpan.FromSeconds(15));
        return new FakeLlm(server, port);
    }

    /// <summary>The counters: received, distinct, duplicates, billed, duplicateBilled, usd, byStatus, faults …; with ids each call id's counts.</summary>
    public Task<JsonElement> StatsAsync(string? prefix = null, bool ids = false) =>
        _client.GetFromJsonAsync<JsonElement>(new Uri($"stats?ids={(ids ? 1 : 0)}{(prefix is null ? "" : $"&prefix={Uri.EscapeDataString(prefix)}")}", UriKind.Relative));

    /// <summary>Zeroes the counters and keeps the configuration.</summary>
    public async Task ResetAsync()
    {
        using var response = await _client.PostAsync(new Uri("reset", UriKind.Relative), content: null);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Changes knobs live, for example <c>new { latencyMs = 200, p500 = 0.1 }</c>.</summary>
    public async Task ConfigureAsync(object knobs)
    {
        using var response = await _client.PostAsJsonAsync(new Uri("config", UriKind.Relative), knobs);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>SIGKILL, as a provider that vanishes.</summary>
    public Task KillAsync() => _server.KillAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }
}
