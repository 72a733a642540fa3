using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Degraded while rows are parked or wait too long; unhealthy while the database cannot be asked.</summary>
internal sealed class OutboxHealthCheck<TDbContext>(IServiceScopeFactory scopes) : IHealthCheck
    where TDbContext : DbContext
{
    private static readonly TimeSpan TooOld = TimeSpan.FromMinutes(1);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        OutboxStatistics found;
        try
        {
            found = await OutboxStatistics.ReadAsync(scope.ServiceProvider.GetRequiredService<TDbContext>(), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy($"The outbox of {typeof(TDbContext).Name} could not be read: {exception.Message}", exception);
        }

        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["pending"] = found.Pending, ["oldestPendingSeconds"] = found.OldestPending.TotalSeconds, ["parked"] = found.Parked, ["scheduled"] = found.Scheduled,
        };
        if (found.Parked > 0)
            return HealthCheckResult.Degraded($"{found.Parked} messages of {typeof(TDbContext).Name} are parked: they could not be sent. Mend the cause (LastError), then release them.", data: data);
        return found.OldestPending > TooOld
            ? HealthCheckResult.Degraded($"{found.Pending} messages of {typeof(TDbContext).Name} wait, the oldest for {found.OldestPending.TotalSeconds:0} s. Is the broker reachable?", data: data)
            : HealthCheckResult.Healthy($"{found.Pending} messages wait.", data);
    }
}
