using System.Diagnostics;
using System.Net;

namespace Assay.TestServers;

/// <summary>
/// One Assay service as a real process on a private broker and database; can be killed, frozen, asked to stop, and started again. Like
/// compose it starts a process anew that ended because its connection to the broker was dead (ADR 0011); any other end is for the test to see.
/// </summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private const string DeadConnection = "The connection to the broker is dead although nothing said so";

    /// <summary>
    /// How long an instance may need to be ready again after its servers went away and came back. Most need seconds; one whose connection
    /// died unnoticed is deaf for RabbitMq__ReconnectPatience (70 s) after its last try to connect, stops within 80 s and starts anew.
    /// </summary>
    public static readonly TimeSpan ReadyAgainWithin = TimeSpan.FromMinutes(4);

    private static readonly HttpClient Http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Dictionary<string, string> _environment;
    private readonly Lock _gate = new();
    private ServerProcess? _process;
    private Task _supervision = Task.CompletedTask;
    private bool _isStopped;

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
            // Who waits for readiness asks twenty times a second, and each no would be a line where the reason is looked for.
            ["Serilog__MinimumLevel__Override__Microsoft.Extensions.Diagnostics.HealthChecks"] = "Fatal",
        };
    }

    /// <summary>A file to which the process's lines are appended, over all its starts.</summary>
    public string? LogFile { get; init; }

    public string Service { get; }
    public Uri Url { get; }
    public int Id => Process.Id;

    /// <summary>Whether it ended and stays so.</summary>
    public bool HasExited
    {
        get
        {
            lock (_gate)
                return _process is null || (_process.HasExited && _supervision.IsCompleted);
        }
    }

    /// <summary>How often it was started anew because its connection was dead.</summary>
    public int DeadConnections { get; private set; }

    public string LogTail => _process?.LogTail ?? "(never started)";

    /// <summary>Everything the present process wrote.</summary>
    public IReadOnlyCollection<string> Log => _process?.Log ?? [];

    /// <summary>Waits until the process, or the one that was started in its place meanwhile, has written a line that contains the text.</summary>
    public Task WaitForLineAsync(string text, TimeSpan limit) => OverItsStartsAsync((process, rest) => process.WaitForLineAsync(text, rest), limit);

    /// <summary>The errors among the last lines of its log, in one line.</summary>
    public string LastWords => string.Join(" | ", LogTail.Split('\n').Where(line => line.Contains(" ERR ", StringComparison.Ordinal) || line.Contains(" FTL ", StringComparison.Ordinal) || line.StartsWith("Unhandled", StringComparison.Ordinal)).TakeLast(2));

    private ServerProcess Process => _process ?? throw new InvalidOperationException($"The {Service} service was not started.");

    /// <summary>Starts the process, or starts it again after it ended. Does not wait until it is ready.</summary>
    /// <param name="more">Settings of this start alone.</param>
    public void Start(IReadOnlyDictionary<string, string>? more = null)
    {
        // Published services are compiled ahead; a folder of them is given by who has just made it.
        var published = Environment.GetEnvironmentVariable("ASSAY_PUBLISHED");
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        var folder = published is { Length: > 0 } ? Path.Combine(published, Service) : Path.Combine(SharedFolder.RepositoryRoot, "services", Service, "bin", configuration, "net10.0");
        var assembly = Path.Combine(folder, $"Assay.{Service}.dll");
        if (!File.Exists(assembly))
            throw new FileNotFoundException($"The {Service} service is not built: {assembly} is missing. Build Assay.slnx first.", assembly);
        var environment = more is null ? _environment : _environment.Concat(more).GroupBy(setting => setting.Key, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.Ordinal);
        lock (_gate)
        {
            _isStopped = false;
            _process = ServerProcess.Start("dotnet", [assembly], folder, environment, LogFile);
            _supervision = SuperviseAsync(_process, more);
        }
    }

    private async Task SuperviseAsync(ServerProcess process, IReadOnlyDictionary<string, string>? more)
    {
        await process.EndedAsync();
        lock (_gate)
        {
            if (_isStopped || process != _process || process.ExitCode != 1 || !process.Said(DeadConnection))
                return;
            DeadConnections++;
            Start(more);
        }
    }

    /// <summary>Waits until <c>/health/ready</c> answers 200.</summary>
    public Task WaitUntilReadyAsync(TimeSpan limit) => OverItsStartsAsync((process, rest) => process.WaitUntilAsync($"The {Service} service", IsReadyAsync, rest), limit);

    private async Task OverItsStartsAsync(Func<ServerProcess, TimeSpan, Task> wait, TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var process = Process;
            try
            {
                await wait(process, limit - clock.Elapsed);
                return;
            }
            catch (InvalidOperationException) when (process.HasExited && !HasExited)
            {
                // It is being started anew.
                await Task.Delay(50);
            }
        }
    }

    private async Task<bool> IsReadyAsync(CancellationToken stop)
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
    }

    /// <summary>Waits until the process has ended by itself and its last words are in the log.</summary>
    public Task WaitForExitAsync(TimeSpan limit) => Process.WaitForExitAsync(limit);

    /// <summary>SIGKILL.</summary>
    public Task KillAsync()
    {
        StayStopped();
        return Process.KillAsync();
    }

    /// <summary>SIGTERM, and waits until the process has ended by itself.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        StayStopped();
        Process.Signal(15);
        await Process.WaitForExitAsync(limit);
    }

    /// <summary>SIGSTOP: the process keeps its connections and does nothing.</summary>
    public void Freeze() => Process.Signal(19);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Process.Signal(18);

    private void StayStopped()
    {
        lock (_gate)
            _isStopped = true;
    }

    public async ValueTask DisposeAsync()
    {
        StayStopped();
        if (_process is not null)
            await _process.DisposeAsync();
    }
}
