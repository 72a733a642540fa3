using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Assay.ServiceDefaults;

/// <summary>How far a host has come: it listens from its first moment, and takes work once everything has started.</summary>
sealed class HostStart(IEnumerable<DatabaseMigration> migrations) : IHealthCheck
{
    /// <summary>What a caller may ask before everything has started, and while it stops.</summary>
    static readonly PathString[] AlwaysOpen = ["/health", "/metrics"];

    volatile Phase phase;

    enum Phase
    {
        Databases,
        Workers,
        Open,
        Stopping,
    }

    /// <summary>Databases and modules are prepared; bus and workers start.</summary>
    public void Prepared() => phase = Phase.Workers;

    /// <summary>Everything has started.</summary>
    public void Open() => phase = Phase.Open;

    /// <summary>The host stops.</summary>
    public void Close() => phase = Phase.Stopping;

    /// <summary>What it waits for, as a sentence; null while it takes work.</summary>
    public string? Waiting => phase switch
    {
        Phase.Open => null,
        Phase.Stopping => "It stops.",
        Phase.Workers => "It starts: it waits for its bus, so check the broker and the settings RabbitMq__Host and RabbitMq__Port.",
        _ => migrations.Select(migration => migration.Missing).FirstOrDefault(missing => missing is not null) is { } reason ? $"It starts. {reason}" : "It starts: what was left unfinished is looked at.",
    };

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Waiting is { } reason ? HealthCheckResult.Unhealthy(reason) : HealthCheckResult.Healthy("Everything has started."));

    /// <summary>Answers 503 with the reason to everything but health and metrics while the host does not take work.</summary>
    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        if (Waiting is not { } reason || Array.Exists(AlwaysOpen, path => context.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase)))
        {
            await next(context);
            return;
        }

        context.Response.Headers.RetryAfter = "2";
        await Results.Problem(reason, statusCode: StatusCodes.Status503ServiceUnavailable, title: "The service does not take work now").ExecuteAsync(context);
    }
}
