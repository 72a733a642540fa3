using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.DeadlineWatch;

/// <summary>In a host whose messages do not outlive it, an unfinished audit at start has lost them: it is failed, at once and for a stated reason, and can be retried for free.</summary>
static partial class UnfinishedAudits
{
    /// <summary>Runs before the bus starts. The budgets are closed by outbox rows, which are sent before anything else can be.</summary>
    public static async Task EndAllAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        if (!services.GetRequiredService<IOptions<AuditSagaOptions>>().Value.FailUnfinishedAtStart)
            return;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(UnfinishedAudits).FullName!);
        IReadOnlyList<WatchedAudit> unfinished;
        await using (var scope = services.CreateAsyncScope())
            unfinished = await scope.ServiceProvider.GetRequiredService<OverdueAudits>().FindLiveAsync(cancellationToken);
        foreach (var audit in unfinished)
        {
            await EndAsync(services, audit, cancellationToken);
            Ended(logger, audit.AuditId, audit.Attempt, audit.State);
        }
    }

    static async Task EndAsync(IServiceProvider services, WatchedAudit audit, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<OverdueAudits>().EndUnfinishedAsync(audit, cancellationToken);
        }
        catch (Exception exception) when (exception is FormatException or System.Text.Json.JsonException or InvalidCastException)
        {
            // One unreadable row must not keep the host from starting.
            await using var scope = services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<OverdueAudits>().EndByEmergencyAsync(audit, exception.Message, cancellationToken);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Audit {AuditId} attempt {Attempt} was left unfinished in {State} by the previous process and is failed (HostRestarted); retry it, what was paid is kept")]
    static partial void Ended(ILogger logger, Guid auditId, int attempt, string state);
}
