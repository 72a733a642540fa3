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
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.ServiceDefaults;

/// <summary>How hosts are put together: modules, a bus, a database for each.</summary>
public static partial class AssayHost
{
    /// <summary>The most bytes of any request's body; what takes requests of its own size says so earlier.</summary>
    const long MaxRequestBody = 8 << 20;

    /// <summary>What a stop may take beyond the time that every part of it has been given.</summary>
    static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(5);

    /// <summary>Runs one service on RabbitMQ and its own PostgreSQL database until it is told to stop.</summary>
    /// <returns>The process's exit code: 0, or 1 if a setting is missing or wrong, a database cannot be used, the connection to the broker is dead or a stop did not come to its end. The log says which.</returns>
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
        builder.ListenFirst([module]);

        await using var app = builder.Build();
        app.MapAssayHealth();
        app.MapAssayMetrics();
        module.MapEndpoints(app);
        EndInTime(app);
        try
        {
            await app.RunAsync();
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // It was told to stop while it still waited for its servers.
        }
        catch (Exception exception)
        {
            // The runtime would write it beside the log, in no format that a collector of logs reads. What names its own remedy needs no trace.
            CannotRun(app.Logger, module.Name, exception.Message, exception is SchemaTooNewException or OptionsValidationException ? null : exception);
            return 1;
        }

        // Who stops the host for a reason of its own has said so there.
        return Environment.ExitCode;
    }

    /// <summary>
    /// A stop waits for what is on the wire, but not for ever: a bus whose connection is dead may never come to its end, and a process that
    /// neither works nor ends is never started anew.
    /// </summary>
    static void EndInTime(WebApplication app)
    {
        var limit = app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout + StopMargin;
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Assay.Stop");
        app.Lifetime.ApplicationStopping.Register(() => _ = Task.Run(async () =>
        {
            // Whoever ends before takes this with it.
            await Task.Delay(limit);
            StopHangs(logger, limit);
            Environment.Exit(1);
        }));
    }

    /// <summary>
    /// The web server listens from the first moment, so that <c>/health/live</c> answers while the host waits for its servers; then
    /// <see cref="PrepareAsync(IServiceProvider, IReadOnlyCollection{AssayModule}, CancellationToken)"/> runs, then everything else starts.
    /// Until then all but health and metrics is answered with 503 and the reason.
    /// </summary>
    public static void ListenFirst(this WebApplicationBuilder builder, IReadOnlyCollection<AssayModule> modules)
    {
        builder.WebHost.ConfigureKestrel(server => server.Limits.MaxRequestBodySize = MaxRequestBody);
        builder.AddStartOrder((services, cancellationToken) => services.PrepareAsync(modules, cancellationToken));
    }

    /// <summary>Numbers and times are written one way everywhere, whatever the machine's locale.</summary>
    public static void UseInvariantCulture()
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    }

    /// <summary>Migrates every module's database, then lets each module prepare; bus and hosted services have not started yet.</summary>
    public static Task PrepareAsync(this WebApplication app, IReadOnlyCollection<AssayModule> modules, CancellationToken cancellationToken) => app.Services.PrepareAsync(modules, cancellationToken);

    static async Task PrepareAsync(this IServiceProvider services, IReadOnlyCollection<AssayModule> modules, CancellationToken cancellationToken)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Assay.Start");
        if (services.GetService<MessagingOptions>() is { CutRedelivery.Count: > 0 } messaging)
            RedeliveryCut(logger, string.Join(", ", messaging.Redelivery), string.Join(", ", messaging.CutRedelivery));
        if (services.GetService<RabbitMqOptions>() is { } broker)
            await NameUnreachableBrokerAsync(broker, logger, cancellationToken);
        foreach (var migration in services.GetServices<DatabaseMigration>())
            await migration.RunAsync(services, logger, cancellationToken);
        foreach (var module in modules)
        {
            // A database may go away between its migration and this.
            await TransientFaults.OnceReachableAsync(
                () => module.PrepareAsync(services, cancellationToken),
                exception => NotPrepared(logger, module.Name, TransientFaults.RetryAfter, exception, exception.GetBaseException().Message),
                cancellationToken);
        }
    }

    /// <summary>Registers the health checks that <see cref="MapAssayHealth"/> shows; the bus, each database and each outbox add their own. Each has 4 s to answer.</summary>
    public static void AddAssayHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks();
        builder.Services.PostConfigure<HealthCheckServiceOptions>(options =>
        {
            foreach (var check in options.Registrations.Where(check => check.Timeout == Timeout.InfiniteTimeSpan))
                check.Timeout = TimeSpan.FromSeconds(4);
            foreach (var check in options.Registrations.Where(check => check.Tags.Contains("outbox")))
            {
                var make = check.Factory;
                check.Factory = services => new MessagesLeave(make(services));
            }
        });
    }

    /// <summary>
    /// <c>/health/live</c> answers while the process runs, whatever its servers do; <c>/health/ready</c> while broker, databases, schemas and
    /// outboxes are as they should be, else with 503, <c>missing</c> naming what is not. Both are open.
    /// </summary>
    public static void MapAssayHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = WriteAsync }).AllowAnonymous();
    }

    static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(new
        {
            status = report.Status.ToString(),
            missing = report.Entries.Where(entry => entry.Value.Status == HealthStatus.Unhealthy).Select(entry => entry.Key).Order(StringComparer.Ordinal),
            checks = report.Entries.ToDictionary(entry => entry.Key, entry => new { status = entry.Value.Status.ToString(), entry.Value.Description }, StringComparer.Ordinal),
        });

    /// <summary>The bus waits for its broker without end; this says at start which broker, and which setting names it.</summary>
    static async Task NameUnreachableBrokerAsync(RabbitMqOptions broker, ILogger logger, CancellationToken cancellationToken)
    {
        List<string> causes = [];
        foreach (var (host, port) in broker.Addresses)
        {
            using var client = new TcpClient();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(3));
            try
            {
                await client.ConnectAsync(host, port, limit.Token);
                return;
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                causes.Add($"{host}:{port}: {exception.Message}");
            }
        }

        BrokerUnreachable(logger, string.Join("; ", causes));
    }

    [LoggerMessage(LogLevel.Warning, "Cannot reach the broker yet; the service waits for it. Check the server and the settings RabbitMq__Host and RabbitMq__Port, or RabbitMq__Nodes. {Cause}")]
    static partial void BrokerUnreachable(ILogger logger, string cause);

    [LoggerMessage(LogLevel.Warning, "{Module} could not prepare, because its database is away for the moment; it tries again in {RetryAfter}. {Cause}")]
    static partial void NotPrepared(ILogger logger, string module, TimeSpan retryAfter, Exception exception, string cause);

    [LoggerMessage(LogLevel.Critical, "The {Service} service cannot run and ends with exit code 1. {Cause}")]
    static partial void CannotRun(ILogger logger, string service, string cause, Exception? exception);

    [LoggerMessage(LogLevel.Critical, "The stop has not come to its end within {Limit}; the process ends with exit code 1. What is unsent stays in the outbox, calls on the wire become in doubt")]
    static partial void StopHangs(ILogger logger, TimeSpan limit);

    [LoggerMessage(LogLevel.Warning, "Scheduled redelivery is shortened to {Kept}: with {Cut} a message could outlive AuditSaga__StallTimeout")]
    static partial void RedeliveryCut(ILogger logger, string kept, string cut);
}
