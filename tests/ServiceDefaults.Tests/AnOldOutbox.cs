using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Assay.ServiceDefaults.Tests;

public sealed class AnOldOutbox
{
    [Theory]
    [InlineData(HealthStatus.Healthy, 0, HealthStatus.Healthy)]
    [InlineData(HealthStatus.Degraded, 59, HealthStatus.Degraded)] // parked messages alone
    [InlineData(HealthStatus.Degraded, 61, HealthStatus.Unhealthy)]
    [InlineData(HealthStatus.Unhealthy, 0, HealthStatus.Unhealthy)]
    public async Task Should_make_a_service_not_ready_when_its_messages_do_not_leave(HealthStatus outbox, double oldestPendingSeconds, HealthStatus readiness)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal) { ["oldestPendingSeconds"] = oldestPendingSeconds };

        var result = await new MessagesLeave(new Says(new HealthCheckResult(outbox, "as the outbox says", data: data))).CheckHealthAsync(new HealthCheckContext());

        result.Status.ShouldBe(readiness);
        result.Description!.ShouldContain("as the outbox says");
    }

    sealed class Says(HealthCheckResult result) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(result);
    }
}
