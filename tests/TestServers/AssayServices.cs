namespace Assay.TestServers;

/// <summary>The distributed system as a user runs it: RabbitMQ, PostgreSQL with a database each, and the four services as processes of their own.</summary>
public sealed class AssayServices : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Names = ["AuditSaga", "LlmGateway", "Analyzer", "Dashboard"];

    private readonly Dictionary<string, string> _settings;
    private readonly string _workplace = Workplace.Create("services");
    private readonly List<ServiceProcess> _instances = [];

    private AssayServices(PrivatePostgres postgres, PrivateRabbitMq broker, string virtualHost, Dictionary<string, string> settings)
    {
        Postgres = postgres;
        Broker = broker;
        VirtualHost = virtualHost;
        _settings = settings;
    }

    public PrivatePostgres Postgres { get; }
    public PrivateRabbitMq Broker { get; }
    public string VirtualHost { get; }

    /// <summary>An operator's bearer key for the Dashboard's REST interface.</summary>
    public string OperatorKey { get; private set; } = "";

    public IReadOnlyList<ServiceProcess> Instances => _instances;
    public ServiceProcess AuditSaga => Of("AuditSaga");
    public ServiceProcess LlmGateway => Of("LlmGateway");
    public ServiceProcess Analyzer => Of("Analyzer");
    public ServiceProcess Dashboard => Of("Dashboard");

    /// <summary>The connection string of a service's database.</summary>
    public string DatabaseOf(string service) => _settings[$"ConnectionStrings__{service}"];

    /// <summary>Starts one instance of each service on the given servers and waits until all are ready.</summary>
    /// <param name="postgres">Where each service gets a fresh database.</param>
    /// <param name="broker">Where the system gets a fresh virtual host.</param>
    /// <param name="settings">Settings of all services, in environment form.</param>
    public static async Task<AssayServices> StartAsync(PrivatePostgres postgres, PrivateRabbitMq broker, IReadOnlyDictionary<string, string> settings)
    {
        var services = await PrepareAsync(postgres, broker, settings);
        await services.StartAllAsync();
        return services;
    }

    /// <summary>One instance of each service, none of them started.</summary>
    /// <param name="postgres">Where each service gets a fresh database; must be running.</param>
    /// <param name="broker">Must be running unless <paramref name="virtualHost"/> is given.</param>
    /// <param name="settings">Settings of all services, in environment form.</param>
    /// <param name="virtualHost">A virtual host of the broker's definitions; null for a fresh one.</param>
    /// <param name="settingsOf">Settings of one service, for example its own user of the broker.</param>
    public static async Task<AssayServices> PrepareAsync(PrivatePostgres postgres, PrivateRabbitMq broker, IReadOnlyDictionary<string, string> settings,
        string? virtualHost = null, Func<string, IReadOnlyDictionary<string, string>>? settingsOf = null)
    {
        virtualHost ??= await broker.CreateVirtualHostAsync("assay");
        var all = new Dictionary<string, string>(settings, StringComparer.Ordinal)
        {
            ["RabbitMq__Host"] = broker.Host,
            ["RabbitMq__Port"] = broker.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["RabbitMq__VirtualHost"] = virtualHost,
            ["RabbitMq__Username"] = broker.Username,
            ["RabbitMq__Password"] = broker.Password,
        };
        foreach (var (service, database) in Names.Zip(["assay_saga", "assay_gateway", "assay_analyzer", "assay_dashboard"]))
            all[$"ConnectionStrings__{service}"] = await postgres.CreateDatabaseAsync(database);

        var services = new AssayServices(postgres, broker, virtualHost, all);
        services.OperatorKey = $"assay_{Guid.NewGuid():N}";
        var keys = Path.Combine(services._workplace, "bootstrap-keys");
        await File.WriteAllTextAsync(keys, $"operator tests {services.OperatorKey}\n");
        all["Dashboard__BootstrapKeyFile"] = keys;
        foreach (var name in Names)
            services.Add(name, settingsOf?.Invoke(name));
        return services;
    }

    /// <summary>Starts every instance and waits until all are ready; if one is not, all are ended.</summary>
    public async Task StartAllAsync()
    {
        try
        {
            foreach (var instance in _instances)
                instance.Start();
            await Task.WhenAll(_instances.Select(instance => instance.WaitUntilReadyAsync(TimeSpan.FromSeconds(90))));
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>A further instance of a service, not yet started.</summary>
    public ServiceProcess Add(string service, IReadOnlyDictionary<string, string>? settings = null)
    {
        var environment = new Dictionary<string, string>(_settings, StringComparer.Ordinal);
        foreach (var (key, value) in settings ?? new Dictionary<string, string>(StringComparer.Ordinal))
            environment[key] = value;
        // A service sees its own database only, as in production.
        foreach (var other in Names.Where(name => name != service))
            environment.Remove($"ConnectionStrings__{other}");
        var instance = new ServiceProcess(service, environment);
        _instances.Add(instance);
        return instance;
    }

    private ServiceProcess Of(string service) => _instances.First(instance => instance.Service == service);

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        Workplace.Remove(_workplace);
    }
}
