using System.Globalization;
using System.Net.Sockets;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults;

/// <summary>How hosts are put together: modules, a bus, a database for each.</summary>
public static partial class AssayHost
{
    /// <summary>Runs one service on RabbitMQ and its own PostgreSQL database until it is told to stop.</summary>
    /// <returns>The process's exit code: 0, or 1 if a setting is missing or wrong.</returns>
    public static async Task<int> RunServiceAsync(AssayModule module, string[] args)
    {
        UseInvariantCulture();
        var builder = WebApplication.CreateBuilder(args);
        // A service that is run from where it was built finds its pages' scripts and styles by a manifest; a published one has them beside it.
        builder.WebHost.UseStaticWebAssets();
        builder.AddAssayLogging();
        var setting = $"ConnectionStrings__{module.Name}";
        if (builder.Configuration.GetConnectionString(module.Name) is not { Length: > 0 } connectionString)
        {
            await Console.Error.WriteLineAsync($"The {module.Name} service has no database: set {setting} to a PostgreSQL connection string, for example Host=localhost;Database=assay;Username=assay.");
            return 1;
        }

        module.AddServices(builder, AssayDatabase.PostgreSql(connectionString));
        builder.AddAssayRabbitMqBus([module]);
        builder.AddAssayHealth();
        builder.AddAssayTelemetry($"assay-{module.Name.ToLowerInvariant()}");

        await using var app = builder.Build();
        app.MapAssayHealth();
        app.MapAssayMetrics();
        module.MapEndpoints(app);
        await app.PrepareAsync([module], app.Lifetime.ApplicationStopping);
        await app.NameUnreachableBrokerAsync();
        await app.RunAsync();
        return 0;
    }

    /// <summary>Numbers and times are written one way everywhere, whatever the machine's locale.</summary>
    public static void UseInvariantCulture()
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    }

    /// <summary>Migrates every module's database, then lets each module prepare; nothing else has started yet.</summary>
    public static async Task PrepareAsync(this WebApplication app, IReadOnlyCollection<AssayModule> modules, CancellationToken cancellationToken)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Assay.Start");
        if (app.Services.GetService<MessagingOptions>() is { CutRedelivery.Count: > 0 } messaging)
            RedeliveryCut(logger, string.Join(", ", messaging.Redelivery), string.Join(", ", messaging.CutRedelivery));
        foreach (var migration in app.Services.GetServices<DatabaseMigration>())
            await migration.RunAsync(app.Services, logger, cancellationToken);
        foreach (var module in modules)
            await module.PrepareAsync(app.Services, cancellationToken);
    }

    /// <summary>Registers the health checks that <see cref="MapAssayHealth"/> shows; the bus and each outbox add their own.</summary>
    public static void AddAssayHealth(this WebApplicationBuilder builder) => builder.Services.AddHealthChecks();

    /// <summary><c>/health/live</c> answers while the process runs; <c>/health/ready</c> while bus and databases are usable. Both are open.</summary>
    public static void MapAssayHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = WriteAsync }).AllowAnonymous();
    }

    static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(new
        {
            status = report.Status.ToString(),
            checks = report.Entries.ToDictionary(entry => entry.Key, entry => new { status = entry.Value.Status.ToString(), entry.Value.Description }, StringComparer.Ordinal),
        });

    /// <summary>The bus waits for its broker without end; this says at start which broker, and which setting names it.</summary>
    static async Task NameUnreachableBrokerAsync(this WebApplication app)
    {
        var broker = app.Configuration.GetSection("RabbitMq").Get<RabbitMqOptions>() ?? new RabbitMqOptions();
        using var client = new TcpClient();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(app.Lifetime.ApplicationStopping);
        limit.CancelAfter(TimeSpan.FromSeconds(3));
        try
        {
            await client.ConnectAsync(broker.Host, broker.Port, limit.Token);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            BrokerUnreachable(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Assay.Start"), broker.Host, broker.Port, exception.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Cannot reach the broker at {Host}:{Port} yet; the service waits for it. Check the server and the settings RabbitMq__Host and RabbitMq__Port. {Cause}")]
    static partial void BrokerUnreachable(ILogger logger, string host, int port, string cause);

    [LoggerMessage(LogLevel.Warning, "Scheduled redelivery is shortened to {Kept}: with {Cut} a message could outlive AuditSaga__StallTimeout")]
    static partial void RedeliveryCut(ILogger logger, string kept, string cut);
}
