using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.TestServers;
using Npgsql;

namespace Assay.Chaos;

/// <summary>A fault as it really was: when it began, and when what it hit worked again.</summary>
public sealed record DoneFault(Fault Fault, DateTime BeganAt, DateTime HealedAt);

/// <summary>One instance of a service with its own links to the servers it talks to.</summary>
sealed class Instance(string service, int number, ServiceProcess process, FaultyLink broker, FaultyLink database, FaultyLink? provider) : IAsyncDisposable
{
    public string Service { get; } = service;
    public int Number { get; } = number;
    public ServiceProcess Process { get; } = process;
    public string Name => $"{Service}/{Number}";

    public FaultyLink To(Server server) => server switch
    {
        Server.Broker => broker,
        Server.Database => database,
        _ => provider ?? throw new InvalidOperationException($"{Name} does not talk to the provider."),
    };

    public IEnumerable<FaultyLink> Links => provider is null ? [broker, database] : [broker, database, provider];

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await broker.DisposeAsync();
        await database.DisposeAsync();
    }
}

/// <summary>One fault at a time for each process.</summary>
sealed class Turn : IDisposable
{
    readonly SemaphoreSlim _semaphore;

    Turn(SemaphoreSlim semaphore) => _semaphore = semaphore;

    public static async Task<Turn> TakeAsync(SemaphoreSlim semaphore, CancellationToken cancellationToken)
    {
        await semaphore.WaitAsync(cancellationToken);
        return new Turn(semaphore);
    }

    public void Dispose() => _semaphore.Release();
}

/// <summary>Broker, database, provider and instances of each service, shared by the seeds of a run; faults are done to it here.</summary>
public sealed class ChaosWorld : IAsyncDisposable
{
    static readonly IReadOnlyDictionary<string, string> Databases = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AuditSaga"] = "assay_saga", ["LlmGateway"] = "assay_gateway", ["Analyzer"] = "assay_analyzer", ["Dashboard"] = "assay_dashboard",
    };

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);
    readonly List<Instance> _instances = [];
    readonly ConcurrentQueue<string> _gone = [];
    readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> _connectionStrings = new(StringComparer.Ordinal);
    /// <summary>Longer than the Dashboard waits for a decision, or it would be asked again each time just before it answers.</summary>
    readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    readonly string _folder;
    readonly string _operatorKey = $"assay_{Guid.NewGuid():N}";
    PrivatePostgres _postgres = null!;
    PrivateRabbitMq _broker = null!;
    FaultyLink _providerLink = null!;

    ChaosWorld(Profile profile, string folder, Crowd? crowd, int? gateways)
    {
        Profile = profile;
        Settings = ChaosSettings.Of(profile, crowd) with { Gateways = gateways };
        _folder = folder;
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _operatorKey);
    }

    public Profile Profile { get; }
    public ChaosSettings Settings { get; }
    public FakeLlm Provider { get; private set; } = null!;
    public Producer Producer { get; private set; } = null!;
    public string VirtualHost { get; private set; } = "";

    /// <summary>Where the provider notes each call, one JSON object a line.</summary>
    public string CallLog => Path.Combine(_folder, "provider-calls.jsonl");

    /// <summary>Where the notes of the present seed begin in that file.</summary>
    public long CallLogStart { get; private set; }

    /// <summary>Zeroes the provider's counters: a seed begins.</summary>
    public async Task ForgetCallsAsync()
    {
        await Provider.ResetAsync();
        CallLogStart = File.Exists(CallLog) ? new FileInfo(CallLog).Length : 0;
    }

    /// <summary>Requests to the provider that vanished on connections whose far end was gone.</summary>
    public IReadOnlyList<DateTime> LostRequests => _providerLink.LostAt;

    /// <summary>Where the services' logs and the provider's notes are.</summary>
    public string Folder => _folder;

    /// <summary>Starts everything and waits until it is ready.</summary>
    public static async Task<ChaosWorld> StartAsync(Profile profile, string folder, Crowd? crowd = null, int? gateways = null)
    {
        Directory.CreateDirectory(folder);
        var world = new ChaosWorld(profile, folder, crowd, gateways);
        try
        {
            await world.StartAllAsync();
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }

        return world;
    }

    /// <summary>A connection to a service's database, past every link.</summary>
    public async Task<NpgsqlConnection> OpenAsync(string service, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_connectionStrings[service]);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Messages in every <c>_error</c>, <c>_skipped</c> and dead-letter queue.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ErrorQueuesAsync()
    {
        var counts = await _broker.CountMessagesAsync(VirtualHost);
        return counts.Where(queue => queue.Key.EndsWith("_error", StringComparison.Ordinal) || queue.Key.EndsWith("_skipped", StringComparison.Ordinal) || queue.Key == "assay-dead-letter")
            .Where(queue => queue.Value > 0).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>Asks the REST interface of whichever Dashboard answers; null if none did.</summary>
    public async Task<(int Status, JsonElement Body)?> AskAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        foreach (var dashboard in _instances.Where(instance => instance.Service == "Dashboard"))
        {
            try
            {
                using var request = new HttpRequestMessage(method, new Uri(dashboard.Process.Url, path));
                if (body is not null)
                    request.Content = JsonContent.Create(body, options: new JsonSerializerOptions(JsonSerializerDefaults.Web));
                using var response = await _http.SendAsync(request, cancellationToken);
                var text = await response.Content.ReadAsStringAsync(cancellationToken);
                return ((int)response.StatusCode, text.StartsWith('{') ? JsonDocument.Parse(text).RootElement.Clone() : default);
            }
            catch (HttpRequestException)
            {
                // The next one may answer.
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // It hangs, as a frozen one does; the next one may answer.
            }
        }

        return null;
    }

    /// <summary>Does one fault at its time and undoes it; returns what really happened.</summary>
    public async Task<DoneFault> DoAsync(Fault fault, DateTime start, CancellationToken cancellationToken)
    {
        await DelayUntilAsync(start + fault.At, cancellationToken);
        // On a slow machine the last fault's restart may still be going on: what it hits is hit again once it works.
        var target = fault.Link is null ? fault.Service is null ? fault.Kind is FaultKind.KillBroker ? "broker" : fault.Kind is FaultKind.Provider ? "provider" : "database" : Find(fault).Name : null;
        using var turn = target is null ? null : await Turn.TakeAsync(_turns.GetOrAdd(target, _ => new SemaphoreSlim(1)), cancellationToken);
        var began = DateTime.UtcNow;
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                await WithStoppedAsync(fault, instance => instance.Process.KillAsync(), null, cancellationToken);
                break;
            case FaultKind.Terminate:
                await WithStoppedAsync(fault, instance => instance.Process.StopAsync(TimeSpan.FromSeconds(60)), null, cancellationToken);
                break;
            case FaultKind.Freeze:
                Find(fault).Process.Freeze();
                await Task.Delay(fault.For, cancellationToken);
                Find(fault).Process.Thaw();
                break;
            case FaultKind.KillBroker:
                await _broker.KillNodeAsync(fault.Instance);
                await Task.Delay(fault.For, cancellationToken);
                await _broker.StartNodeAsync(fault.Instance);
                break;
            case FaultKind.KillDatabase:
                await _postgres.KillAsync();
                await Task.Delay(fault.For, cancellationToken);
                await _postgres.StartServerAsync();
                break;
            case FaultKind.Drop or FaultKind.Delay or FaultKind.HalfOpen or FaultKind.Reset:
                var link = Find(fault).To(fault.Link!.Value);
                link.Become(fault.Kind switch
                {
                    FaultKind.Drop => LinkState.Dropping,
                    FaultKind.Delay => LinkState.Delaying,
                    FaultKind.HalfOpen => LinkState.HalfOpen,
                    _ => LinkState.Resetting,
                });
                await Task.Delay(fault.For, cancellationToken);
                link.Become(LinkState.Whole);
                break;
            case FaultKind.Provider:
                await Provider.ConfigureAsync(fault.Knobs);
                await Task.Delay(fault.For, cancellationToken);
                await CalmProviderAsync();
                break;
            case FaultKind.Clock:
                await WithStoppedAsync(fault with { For = TimeSpan.Zero }, instance => instance.Process.KillAsync(), ShiftedClock.By(fault.Offset), cancellationToken);
                await Task.Delay(fault.For, cancellationToken);
                await WithStoppedAsync(fault with { For = TimeSpan.Zero }, instance => instance.Process.KillAsync(), null, cancellationToken);
                break;
            case FaultKind.DiskFull:
                await _postgres.FillDiskAsync();
                await Task.Delay(fault.For, cancellationToken);
                await _postgres.FreeDiskAsync();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault.Kind, "Unknown kind of fault.");
        }

        return new DoneFault(fault, began, DateTime.UtcNow);
    }

    /// <summary>Brings back whatever a plan left down, and waits until every instance is ready.</summary>
    public async Task HealAsync()
    {
        await CalmProviderAsync();
        foreach (var link in _instances.SelectMany(instance => instance.Links).Where(link => link.State is not LinkState.Whole))
            link.Become(LinkState.Whole);
        await Task.WhenAll(_instances.Select(HealAsync));
    }

    async Task HealAsync(Instance instance)
    {
        var giveUp = DateTime.UtcNow + Patience;
        while (true)
        {
            if (instance.Process.HasExited)
            {
                // No fault is at work any more and each started again what it had stopped: this one ended by itself.
                _gone.Enqueue($"{instance.Name} ended by itself: {instance.Process.LastWords}");
                instance.Process.Start();
            }

            try
            {
                await instance.Process.WaitUntilReadyAsync(Patience);
                return;
            }
            catch (InvalidOperationException) when (instance.Process.HasExited && DateTime.UtcNow < giveUp)
            {
                // It ended while it was waited for: counted and started once more.
            }
        }
    }

    /// <summary>Instances that ended though nobody stopped them, since this was last asked.</summary>
    public IReadOnlyList<string> TakeGone()
    {
        List<string> gone = [];
        while (_gone.TryDequeue(out var one))
            gone.Add(one);
        return gone;
    }

    /// <summary>How often any instance was started anew because its connection to the broker was dead.</summary>
    public int DeadConnections => _instances.Sum(instance => instance.Process.DeadConnections);

    /// <summary>The last lines of every instance's log.</summary>
    public string LogTails => string.Join('\n', _instances.Select(instance => $"--- {instance.Name}\n{instance.Process.LogTail}"));

    public async ValueTask DisposeAsync()
    {
        if (Producer is not null)
            await Producer.DisposeAsync();
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        if (_providerLink is not null)
            await _providerLink.DisposeAsync();
        if (Provider is not null)
            await Provider.DisposeAsync();
        if (_broker is not null)
            await _broker.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        _http.Dispose();
    }

    async Task StartAllAsync()
    {
        var broker = PrivateRabbitMq.StartAsync(nodes: Settings.BrokerCluster ? 3 : 1);
        _postgres = await PrivatePostgres.StartAsync(diskMegabytes: Settings.DatabaseDiskMegabytes);
        foreach (var (service, database) in Databases)
            _connectionStrings[service] = await _postgres.CreateDatabaseAsync(database);
        Provider = await FakeLlm.StartAsync(string.Create(CultureInfo.InvariantCulture, $"latency={Settings.ProviderLatencyMs}"), string.Create(CultureInfo.InvariantCulture, $"jitter={Settings.ProviderLatencyMs}"), $"log={CallLog}",
            "hangms=8000", "slowms=1500");
        _providerLink = new FaultyLink(Provider.Port);
        _broker = await broker;
        VirtualHost = await _broker.CreateVirtualHostAsync("assay");
        var keys = Path.Combine(_folder, "bootstrap-keys");
        await File.WriteAllTextAsync(keys, $"operator chaos {_operatorKey}\n");
        foreach (var service in Databases.Keys)
        {
            for (var number = 0; number < Settings.InstancesOf(service); number++)
                _instances.Add(Create(service, number, keys));
        }

        // The first of each service migrates its database and declares its queues; the second finds both.
        foreach (var instance in _instances)
            instance.Process.Start();
        await Task.WhenAll(_instances.Select(instance => instance.Process.WaitUntilReadyAsync(Patience)));
        Producer = await Producer.StartAsync(_broker, VirtualHost, _broker.Port);
    }

    Instance Create(string service, int number, string keys)
    {
        var broker = new FaultyLink(() => _broker.Ports);
        var database = new FaultyLink(_postgres.Port);
        // One link for both gateways: the provider's address is part of what an engine means, and must be the same in every instance.
        var provider = service == "LlmGateway" ? _providerLink : null;
        var settings = Settings.ForServices();
        settings["RabbitMq__Host"] = "127.0.0.1";
        settings["RabbitMq__Port"] = broker.Port.ToString(CultureInfo.InvariantCulture);
        settings["RabbitMq__VirtualHost"] = VirtualHost;
        settings["RabbitMq__Username"] = _broker.Username;
        settings["RabbitMq__Password"] = _broker.Password;
        settings[$"ConnectionStrings__{service}"] = new NpgsqlConnectionStringBuilder(_connectionStrings[service]) { Port = database.Port }.ConnectionString;
        settings["Dashboard__BootstrapKeyFile"] = keys;
        if (provider is not null)
        {
            foreach (var (key, value) in Settings.ForGateway(provider.Port))
                settings[key] = value;
        }

        var process = new ServiceProcess(service, settings) { LogFile = Path.Combine(_folder, $"{service}-{number}.log") };
        return new Instance(service, number, process, broker, database, provider);
    }

    /// <summary>Where there are fewer instances than the plan has, it hits those there are.</summary>
    Instance Find(Fault fault) => _instances.Single(instance => instance.Service == fault.Service && instance.Number == fault.Instance % Settings.InstancesOf(instance.Service));

    async Task WithStoppedAsync(Fault fault, Func<Instance, Task> stop, IReadOnlyDictionary<string, string>? more, CancellationToken cancellationToken)
    {
        var instance = Find(fault);
        await stop(instance);
        await Task.Delay(fault.For, cancellationToken);
        instance.Process.Start(more);
        await HealAsync(instance);
    }

    async Task CalmProviderAsync() => await Provider.ConfigureAsync(new { p429 = 0, p500 = 0, p529 = 0, pHang = 0, pTrunc = 0, pEmpty = 0, pReset = 0, pBadJson = 0, pLength = 0, pSlow = 0 });

    static Task DelayUntilAsync(DateTime moment, CancellationToken cancellationToken)
    {
        var left = moment - DateTime.UtcNow;
        return left > TimeSpan.Zero ? Task.Delay(left, cancellationToken) : Task.CompletedTask;
    }
}
