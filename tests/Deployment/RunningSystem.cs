using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>
/// The system as docker-compose.yml puts it together, as processes: a broker with the repository's definitions, every service as its own
/// user, traces to a receiver, JSON logs. Started once for all tests that only look at it or run audits through it.
/// </summary>
public sealed class RunningSystem : IAsyncLifetime
{
    static readonly Dictionary<string, string> Users = new(StringComparer.Ordinal) { ["AuditSaga"] = "saga", ["LlmGateway"] = "gateway", ["Analyzer"] = "analyzer", ["Dashboard"] = "dashboard" };

    PrivatePostgres? postgres;
    PrivateRabbitMq? broker;
    AssayServices? services;
    HttpClient? client;
    OtlpReceiver? receiver;

    public IReadOnlyDictionary<string, string> Passwords { get; } = new[] { "saga", "gateway", "analyzer", "dashboard", "console", Definitions.Producer, Definitions.HttpProducer }
        .ToDictionary(user => user, user => $"planted-broker-{user}-{Guid.NewGuid():N}", StringComparer.Ordinal);

    public PrivateRabbitMq Broker => broker!;
    public AssayServices Services => services!;
    public HttpClient Api => client!;
    internal OtlpReceiver Traces => receiver!;

    /// <summary>A provider's key that nothing may ever write down.</summary>
    public string EngineKey { get; } = $"sk-planted-{Guid.NewGuid():N}";

    /// <summary>Further secrets that every service is given: the databases' password (they trust this machine and do not ask for it) and the key of the metrics.</summary>
    public IReadOnlyDictionary<string, string> FurtherSecrets { get; } = new[] { "PGPASSWORD", "Metrics__Key" }.ToDictionary(setting => setting, setting => $"planted-{setting}-{Guid.NewGuid():N}", StringComparer.Ordinal);

    public async Task InitializeAsync()
    {
        receiver = await OtlpReceiver.StartAsync();
        postgres = await PrivatePostgres.StartAsync();
        broker = await PrivateRabbitMq.StartAsync(await Definitions.PrintAsync(Passwords, "guest", "guest"), settings: await BrokerSettingsAsync());
        services = await AssayServices.PrepareAsync(postgres, broker, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Engines__chatgpt__Kind"] = "scripted",
            ["Engines__advisor__Kind"] = "scripted",
            ["Engines__slow__Kind"] = "scripted",
            ["Engines__slow__MinLatency"] = "00:00:04",
            ["Engines__slow__MaxLatency"] = "00:00:05",
            // A paid engine that refuses every connection: its key travels through every layer that could tell it.
            ["Engines__paid__Kind"] = "openai",
            ["Engines__paid__BaseUrl"] = "http://127.0.0.1:9/v1",
            ["Engines__paid__Model"] = "planted",
            ["Engines__paid__ApiKey"] = EngineKey,
            ["Engines__paid__InputUsdPerMTok"] = "1",
            ["Engines__paid__OutputUsdPerMTok"] = "1",
            ["Engines__paid__MaxTries"] = "1",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "500",
            // Several tests audit the same brand.
            ["AuditSaga__Freshness"] = "00:00:00",
            ["Logging__Format"] = "json",
        }, "assay", service => new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RabbitMq__Username"] = Users[service],
            ["RabbitMq__Password"] = Passwords[Users[service]],
            ["PGPASSWORD"] = FurtherSecrets["PGPASSWORD"],
            ["Metrics__Key"] = FurtherSecrets["Metrics__Key"],
        });
        await services.StartAllAsync();
        client = new HttpClient { BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", services.OperatorKey);
    }

    public async Task DisposeAsync()
    {
        client?.Dispose();
        if (services is not null)
            await services.DisposeAsync();
        if (broker is not null)
            await broker.DisposeAsync();
        if (postgres is not null)
            await postgres.DisposeAsync();
        if (receiver is not null)
            await receiver.DisposeAsync();
    }

    /// <summary>What deploy/rabbitmq/rabbitmq.conf says, but for the path of the definitions.</summary>
    static async Task<string> BrokerSettingsAsync() =>
        string.Concat((await File.ReadAllLinesAsync(Path.Combine(SharedFolder.RepositoryRoot, "deploy", "rabbitmq", "rabbitmq.conf"))).Where(line => !line.StartsWith("load_definitions", StringComparison.Ordinal)).Select(line => line + "\n"));

    /// <summary>A small audit by simulated engines.</summary>
    public static JsonObject Request(string brand, string engine = "chatgpt") => new()
    {
        ["brand"] = new JsonObject { ["name"] = brand, ["aliases"] = new JsonArray() },
        ["competitors"] = new JsonArray(new JsonObject { ["name"] = "Sony" }),
        ["queryCount"] = 6,
        ["engines"] = new JsonArray(engine),
        ["ceilingUsd"] = 5,
        ["requestedBy"] = "tests",
    };

    /// <summary>Requests an audit over REST and waits for its end.</summary>
    public async Task<JsonElement> RunAuditAsync(string brand, string engine = "chatgpt") => await WaitForTheEndAsync(await RequestAuditAsync(brand, engine));

    public async Task<string> RequestAuditAsync(string brand, string engine = "chatgpt", bool auditCompetitors = false)
    {
        var request = Request(brand, engine);
        request["auditCompetitors"] = auditCompetitors;
        using var accepted = await Api.PostAsJsonAsync("api/audits", request);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.Content.ReadAsStringAsync());
        return (await accepted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("auditId").GetString()!;
    }

    public Task<JsonElement> WaitForTheEndAsync(string auditId) =>
        WaitForAsync(auditId, status => status.GetProperty("status").GetString() is "Completed" or "Failed" or "Cancelled" or "Rejected");

    public Task<JsonElement> WaitForPhaseAsync(string auditId, string phase) => WaitForAsync(auditId, status => status.GetProperty("status").GetString() == phase);

    public Task<JsonElement> WaitForAttemptAsync(string auditId, int attempt) => WaitForAsync(auditId, status => status.GetProperty("attempt").GetInt32() == attempt);

    async Task<JsonElement> WaitForAsync(string auditId, Predicate<JsonElement> isReached)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (true)
        {
            using var response = await Api.GetAsync(new Uri($"api/audits/{auditId}", UriKind.Relative), limit.Token);
            if (response.IsSuccessStatusCode)
            {
                var status = await response.Content.ReadFromJsonAsync<JsonElement>(limit.Token);
                if (isReached(status))
                    return status;
            }

            foreach (var instance in Services.Instances)
                instance.HasExited.ShouldBeFalse($"{instance.Service} ended:\n{instance.LogTail}");
            await Task.Delay(100, limit.Token);
        }
    }
}

[CollectionDefinition(nameof(RunningSystem))]
public sealed class RunningSystemCollection : ICollectionFixture<RunningSystem>;
