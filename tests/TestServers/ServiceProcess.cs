using System.Net;

namespace Assay.TestServers;

/// <summary>One Assay service as a real process on a private broker and database; can be killed, frozen, asked to stop, and started again.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Dictionary<string, string> _environment;
    private ServerProcess? _process;

    /// <param name="service">For example <c>AuditSaga</c>: the folder under <c>services/</c>.</param>
    /// <param name="environment">The service's settings.</param>
    public ServiceProcess(string service, IReadOnlyDictionary<string, string> environment)
    {
        Service = service;
        Url = new Uri($"http://127.0.0.1:{Loopback.FreePort()}/");
        _environment = new Dictionary<string, string>(environment, StringComparer.Ordinal)
        {
            ["ASPNETCORE_URLS"] = Url.GetLeftPart(UriPartial.Authority),
            ["DOTNET_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };
    }

    /// <summary>A file to which the process's lines are appended, over all its starts.</summary>
    public string? LogFile { get; init; }

    public string Service { get; }
    public Uri Url { get; }
    public int Id => Process.Id;
    public bool HasExited => _process?.HasExited ?? true;
    public string LogTail => _process?.LogTail ?? "(never started)";

    /// <summary>Everything the present process wrote.</summary>
    public IReadOnlyCollection<string> Log => _process?.Log ?? [];

    /// <summary>Waits until the process has written a line that contains the text.</summary>
    public Task WaitForLineAsync(string text, TimeSpan limit) => Process.WaitForLineAsync(text, limit);

    /// <summary>The errors among the last lines of its log, in one line.</summary>
    public string LastWords => string.Join(" | ", LogTail.Split('\n').Where(line => line.Contains(" ERR ", StringComparison.Ordinal) || line.Contains(" FTL ", StringComparison.Ordinal) || line.StartsWith("Unhandled", StringComparison.Ordinal)).TakeLast(2));

    private ServerProcess Process => _process ?? throw new InvalidOperationException($"The {Service} service was not started.");

    /// <summary>Starts the process, or starts it again after it ended. Does not wait until it is ready.</summary>
    /// <param name="more">Settings of this start alone.</param>
    public void Start(IReadOnlyDictionary<string, string>? more = null)
    {
        // Published services are compiled ahead; a folder of them is given by who has just made it.
        var published = System.Environment.GetEnvironmentVariable("ASSAY_PUBLISHED");
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        var folder = published is { Length: > 0 } ? Path.Combine(published, Service) : Path.Combine(SharedFolder.RepositoryRoot, "services", Service, "bin", configuration, "net10.0");
        var assembly = Path.Combine(folder, $"Assay.{Service}.dll");
        if (!File.Exists(assembly))
            throw new FileNotFoundException($"The {Service} service is not built: {assembly} is missing. Build Assay.slnx first.", assembly);
        var environment = more is null ? _environment : _environment.Concat(more).GroupBy(setting => setting.Key, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.Ordinal);
        _process = ServerProcess.Start("dotnet", [assembly], folder, environment, LogFile);
    }

    /// <summary>Waits until <c>/health/ready</c> answers 200.</summary>
    public Task WaitUntilReadyAsync(TimeSpan limit) => Process.WaitUntilAsync($"The {Service} service", async stop =>
    {
        try
        {
            using var response = await Http.GetAsync(new Uri(Url, "health/ready"), stop);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }, limit);

    /// <summary>Waits until the process has ended by itself and its last words are in the log.</summary>
    public Task WaitForExitAsync(TimeSpan limit) => Process.WaitForExitAsync(limit);

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => Process.KillAsync();

    /// <summary>SIGTERM, and waits until the process has ended by itself.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        Process.Signal(15);
        await Process.WaitForExitAsync(limit);
    }

    /// <summary>SIGSTOP: the process keeps its connections and does nothing.</summary>
    public void Freeze() => Process.Signal(19);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Process.Signal(18);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }
}
