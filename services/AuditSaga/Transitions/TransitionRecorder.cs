using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.Contracts.Internal.AuditSaga;

namespace Assay.AuditSaga.Transitions;

/// <summary>Writes a step to <c>audit_transition</c>, log and metrics, and returns the event that tells others; it commits or rolls back with the step.</summary>
sealed partial class TransitionRecorder(AuditSagaDbContext database, AuditSagaMetrics metrics, TimeProvider clock, ILogger<TransitionRecorder> logger)
{
    public AuditTransitioned Record(AuditState audit, string from, string to, string trigger)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var step = new AuditTransition
        {
            AuditId = audit.CorrelationId,
            Sequence = ++audit.TransitionSequence,
            Attempt = audit.Attempt,
            FromState = from,
            ToState = to,
            Trigger = trigger,
            Worker = Worker.Name,
            At = now,
            ElapsedMs = Math.Max(0, (long)(now - audit.PhaseStartedAt).TotalMilliseconds),
        };
        audit.PhaseStartedAt = now;
        database.AuditTransitions.Add(step);
        metrics.Transitioned(audit, step);
        Transitioned(logger, audit.CorrelationId, audit.Attempt, from, to, trigger, step.ElapsedMs, audit.FailureReason);
        return audit.Told(step);
    }

    [LoggerMessage(LogLevel.Information, "Audit {AuditId} attempt {Attempt}: {From} → {To} by {Trigger} after {ElapsedMs} ms {Reason}")]
    static partial void Transitioned(ILogger logger, Guid auditId, int attempt, string from, string to, string trigger, long elapsedMs, string? reason);
}

/// <summary>This process, for the record.</summary>
static class Worker
{
    public static string Name { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";
}
