using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Assay.ServiceDefaults;

/// <summary>
/// An outbox as readiness sees it: a service whose messages do not leave is not ready. Parked messages, which a person must release, only
/// degrade it: that person needs the pages.
/// </summary>
sealed class MessagesLeave(IHealthCheck outbox) : IHealthCheck
{
    static readonly TimeSpan TooOld = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var result = await outbox.CheckHealthAsync(context, cancellationToken);
        return result.Data.TryGetValue("oldestPendingSeconds", out var value) && value is double seconds && seconds > TooOld.TotalSeconds
            ? HealthCheckResult.Unhealthy($"Its oldest message waits for {seconds:0} s: check the broker. {result.Description}", result.Exception, result.Data)
            : result;
    }
}
