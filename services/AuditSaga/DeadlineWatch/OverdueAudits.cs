using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.DeadlineWatch;

/// <summary>What the watch knows of an audit without reading its row.</summary>
public sealed record WatchedAudit(Guid AuditId, int Attempt, string State);

/// <summary>Finds and ends audits outside the bus: row lock, the state's own decision, outbox rows, one transaction. It can only end audits.</summary>
sealed class OverdueAudits(
    AuditSagaDbContext database, IDbContextOutbox<AuditSagaDbContext> outbox, AdmissionGuards guards, TransitionRecorder transitions, AuditSagaMetrics metrics, IOptions<AuditSagaOptions> options, TimeProvider clock)
{
    const string Trigger = "DeadlineWatch";

    /// <summary>Live audits beyond a limit, for longer than the grace in which their own timers should have ended them.</summary>
    public async Task<IReadOnlyList<WatchedAudit>> FindAsync(CancellationToken cancellationToken)
    {
        var before = clock.GetUtcNow().UtcDateTime - options.Value.WatchGrace;
        var silentSince = before - options.Value.StallTimeout;
        return await Live()
            .Where(audit => audit.DeadlineAt < before || (audit.LastProgressAt < silentSince && (audit.LastHeartbeatAt == null || audit.LastHeartbeatAt < silentSince)))
            .OrderBy(audit => audit.DeadlineAt)
            .Select(audit => new WatchedAudit(audit.CorrelationId, audit.Attempt, audit.CurrentState))
            .Take(200)
            .ToArrayAsync(cancellationToken);
    }

    /// <summary>Every live audit.</summary>
    public async Task<IReadOnlyList<WatchedAudit>> FindLiveAsync(CancellationToken cancellationToken) =>
        await Live().Select(audit => new WatchedAudit(audit.CorrelationId, audit.Attempt, audit.CurrentState)).ToArrayAsync(cancellationToken);

    IQueryable<AuditState> Live() => database.Audits.AsNoTracking().Where(audit => AuditPhases.Live.Contains(audit.CurrentState));

    /// <summary>Ends an audit if, with its row locked, it is still beyond a limit.</summary>
    /// <returns>The reason, or null if there was nothing to end any more.</returns>
    public Task<string?> EndOverdueAsync(WatchedAudit watched, CancellationToken cancellationToken) => EndAsync(watched, audit =>
    {
        var now = clock.GetUtcNow().UtcDateTime;
        if (audit.IsOverdue(now))
            audit.Fail(FailureReasons.DeadlinePassed, audit.DeadlineDetail(now), Enders.Watch, now);
        else if (audit.IsStalled(now, options.Value.StallTimeout))
            audit.Fail(FailureReasons.Stalled, audit.StallDetail(options.Value.StallTimeout), Enders.Watch, now);
    }, cancellationToken);

    /// <summary>Ends an audit whose messages died with the previous process.</summary>
    public Task<string?> EndUnfinishedAsync(WatchedAudit watched, CancellationToken cancellationToken) => EndAsync(watched, audit =>
        audit.Fail(FailureReasons.HostRestarted,
            $"The process that ran attempt {audit.Attempt} of audit {audit.CorrelationId} ended in phase {audit.CurrentState}. What was paid is kept: `assay retry {audit.CorrelationId}` goes on from there and pays only for what is missing.",
            Enders.HostRestart, clock.GetUtcNow().UtcDateTime), cancellationToken);

    /// <summary>Ends an audit whose payments the ledger may have forgotten.</summary>
    public Task<string?> EndRestoredAsync(WatchedAudit watched, string detail, CancellationToken cancellationToken) => EndAsync(watched, audit =>
        audit.Fail(FailureReasons.LedgerRestored,
            $"{detail} Attempt {audit.Attempt} of audit {audit.CorrelationId} ended in phase {audit.CurrentState}; a retry pays again for answers that the ledger has forgotten.",
            Enders.Person, clock.GetUtcNow().UtcDateTime), cancellationToken);

    async Task<string?> EndAsync(WatchedAudit watched, Action<AuditState> decide, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        // Locks the row on every database, and says whether the audit is still what it was.
        var locked = await database.Audits
            .Where(audit => audit.CorrelationId == watched.AuditId && audit.Attempt == watched.Attempt && AuditPhases.Live.Contains(audit.CurrentState))
            .ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Version, audit => audit.Version), cancellationToken);
        if (locked == 0)
            return null;

        var audit = await database.Audits.SingleAsync(row => row.CorrelationId == watched.AuditId, cancellationToken);
        decide(audit);
        if (audit.EndedAt is null)
            return null;

        var from = audit.CurrentState;
        audit.CurrentState = AuditStates.Failed;
        audit.Version++;
        await guards.LeaveLiveAsync(audit.CorrelationId, cancellationToken);
        await outbox.Publish(transitions.Record(audit, from, audit.CurrentState, Trigger), cancellationToken);
        await outbox.Publish(audit.CloseBudget(audit.FailureReason!), cancellationToken);
        await outbox.Publish(audit.Failed(), cancellationToken);
        foreach (var alert in AlertRules.OnStep(audit, audit.CurrentState, audit.EndedAt.Value, options.Value))
            await RaiseAsync(alert, cancellationToken);
        await outbox.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.NotifyCommitted();
        return audit.FailureReason;
    }

    /// <summary>
    /// Ends an audit whose row cannot be read. Uses nothing of the row but its id and attempt, so no column's content can stop it; it
    /// runs under the same guard as everything else and can only fail a live audit.
    /// </summary>
    /// <returns>False if the audit was not live any more.</returns>
    public async Task<bool> EndByEmergencyAsync(WatchedAudit watched, string cause, CancellationToken cancellationToken)
    {
        database.ChangeTracker.Clear();
        var now = clock.GetUtcNow().UtcDateTime;
        var detail = $"The row of audit {watched.AuditId} (attempt {watched.Attempt}, phase {watched.State}) could not be ended in the normal way three times: {cause} It was ended by the emergency statement; what was spent is in the ledger. Repair the row before a retry.";
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var ended = await database.Database.ExecuteSqlAsync($"""
            UPDATE audit SET current_state = 'Failed', failure_reason = {FailureReasons.EmergencyRecovery}, failure_detail = {detail},
                ended_at = {now}, ended_by = {Enders.Watch}, ended_phase = {watched.State}, completed_at = NULL, waiting_for = NULL,
                version = version + 1, transition_sequence = transition_sequence + 1
            WHERE audit_id = {watched.AuditId} AND attempt = {watched.Attempt}
                AND current_state IN ('Admitting', 'Planning', 'Asking', 'Scoring', 'Advising', 'Publishing')
            """, cancellationToken);
        if (ended == 0)
            return false;

        await database.Database.ExecuteSqlAsync($"DELETE FROM live_audit WHERE audit_id = {watched.AuditId}", cancellationToken);
        await database.Database.ExecuteSqlAsync($"""
            INSERT INTO audit_transition (audit_id, sequence, attempt, from_state, to_state, "trigger", worker, at, elapsed_ms)
            SELECT audit_id, transition_sequence, attempt, {watched.State}, 'Failed', {Trigger}, {Worker.Name}, {now}, 0 FROM audit WHERE audit_id = {watched.AuditId}
            """, cancellationToken);
        await outbox.Publish(new CloseBudget { AuditId = watched.AuditId, Attempt = watched.Attempt, Reason = FailureReasons.EmergencyRecovery }, cancellationToken);
        await outbox.Publish(new AuditFailed
        {
            AuditId = watched.AuditId,
            Attempt = watched.Attempt,
            Reason = FailureReasons.EmergencyRecovery,
            Detail = detail,
            Phase = watched.State,
            SpentUsd = 0,
            FailedAt = now,
        }, cancellationToken);
        await outbox.Publish(await StepAsync(watched, now, cancellationToken), cancellationToken);
        await RaiseAsync(AlertRules.Failed(watched.AuditId, watched.Attempt, FailureReasons.EmergencyRecovery, detail, now), cancellationToken);
        await RaiseAsync(AlertRules.Rescued(watched.AuditId, watched.Attempt, FailureReasons.EmergencyRecovery, now), cancellationToken);
        await outbox.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.NotifyCommitted();
        return true;
    }

    async Task RaiseAsync(AlertRaised alert, CancellationToken cancellationToken)
    {
        metrics.Raised(alert);
        await outbox.Publish(alert, cancellationToken);
    }

    async Task<AuditTransitioned> StepAsync(WatchedAudit watched, DateTime now, CancellationToken cancellationToken) => new()
    {
        AuditId = watched.AuditId,
        Attempt = watched.Attempt,
        Sequence = await database.AuditTransitions.Where(step => step.AuditId == watched.AuditId).MaxAsync(step => step.Sequence, cancellationToken),
        From = watched.State,
        To = AuditStates.Failed,
        Trigger = Trigger,
        Worker = Worker.Name,
        At = now,
        ElapsedMs = 0,
    };
}
