using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.DeadlineWatch;

/// <summary>
/// The second of the two limits on every wait: at start and every few seconds it ends whatever is overdue, by itself, without a message
/// that could be stuck too. It needs the database only.
/// </summary>
sealed partial class DeadlineWatchService(IServiceScopeFactory scopes, IOptions<AuditSagaOptions> options, TimeProvider clock, AuditSagaMetrics metrics, ILogger<DeadlineWatchService> logger)
    : BackgroundService
{
    const int FailuresBeforeEmergency = 3;

    readonly Dictionary<WatchedAudit, int> failures = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.WatchInterval, clock);
        do
        {
            try
            {
                await WatchAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The watch is the last one standing: whatever it met, it looks again. (EF Core wraps what a dying database throws, so its type
                // says little; an exception that left this method would end the process.)
                DatabaseUnusable(logger, exception, options.Value.WatchInterval);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round.</summary>
    internal async Task WatchAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<WatchedAudit> overdue;
        await using (var scope = scopes.CreateAsyncScope())
            overdue = await scope.ServiceProvider.GetRequiredService<OverdueAudits>().FindAsync(cancellationToken);
        foreach (var gone in failures.Keys.Except(overdue).ToArray())
            failures.Remove(gone);
        foreach (var audit in overdue)
            await EndAsync(audit, cancellationToken);
    }

    async Task EndAsync(WatchedAudit audit, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            if (await scope.ServiceProvider.GetRequiredService<OverdueAudits>().EndOverdueAsync(audit, cancellationToken) is not { } reason)
                return;
            metrics.Rescued(reason);
            Rescued(logger, audit.AuditId, audit.Attempt, audit.State, reason);
        }
        catch (Exception exception) when (exception.IsTransient())
        {
            // Locked by somebody, or the database went away: neither says anything about the row.
            Postponed(logger, exception, audit.AuditId, audit.Attempt);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            failures[audit] = failures.GetValueOrDefault(audit) + 1;
            EndingFailed(logger, exception, audit.AuditId, audit.Attempt, failures[audit], FailuresBeforeEmergency);
            if (failures[audit] >= FailuresBeforeEmergency)
                await EndByEmergencyAsync(audit, exception, cancellationToken);
        }
    }

    async Task EndByEmergencyAsync(WatchedAudit audit, Exception cause, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        if (!await scope.ServiceProvider.GetRequiredService<OverdueAudits>().EndByEmergencyAsync(audit, cause.Message, cancellationToken))
            return;
        failures.Remove(audit);
        metrics.Rescued(FailureReasons.EmergencyRecovery);
        Rescued(logger, audit.AuditId, audit.Attempt, audit.State, FailureReasons.EmergencyRecovery);
    }

    [LoggerMessage(LogLevel.Warning, "The watch ended audit {AuditId} attempt {Attempt} in {State}: {Reason}. Its own timers should have; look for a stuck bus or saga instance")]
    static partial void Rescued(ILogger logger, Guid auditId, int attempt, string state, string reason);

    [LoggerMessage(LogLevel.Warning, "Audit {AuditId} attempt {Attempt} is overdue but its row cannot be had now; the watch tries again")]
    static partial void Postponed(ILogger logger, Exception exception, Guid auditId, int attempt);

    [LoggerMessage(LogLevel.Error, "The overdue audit {AuditId} attempt {Attempt} could not be ended ({Failures} of {Limit} before the emergency statement)")]
    static partial void EndingFailed(ILogger logger, Exception exception, Guid auditId, int attempt, int failures, int limit);

    [LoggerMessage(LogLevel.Error, "The watch cannot use the saga's database; it looks again in {Interval}. Check the server and ConnectionStrings__AuditSaga")]
    static partial void DatabaseUnusable(ILogger logger, Exception exception, TimeSpan interval);
}
