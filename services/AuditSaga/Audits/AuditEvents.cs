using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Transitions;

namespace Assay.AuditSaga.Audits;

/// <summary>What an audit says, built from its row.</summary>
static class AuditEvents
{
    public static AuditRegistered Registered(this AuditState audit, RequestAudit request) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Request = request,
        TrackingId = audit.TrackingId,
        Ancestry = [.. audit.Ancestry.Select(ancestor => ancestor.AuditId)],
        Depth = audit.Depth,
        CeilingMicroUsd = audit.CeilingMicroUsd,
        RegisteredAt = audit.StartedAt,
        DeadlineAt = audit.DeadlineAt,
    };

    public static OpenBudget OpenBudget(this AuditState audit, RequestAudit request, LineageTree tree) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        TrackingId = audit.TrackingId,
        Request = request,
        CeilingMicroUsd = audit.CeilingMicroUsd,
        TreeCeilingMicroUsd = tree.CeilingMicroUsd,
        TreeCeilingDefaulted = tree.CeilingDefaulted,
        DeadlineAt = audit.DeadlineAt,
        AskInDoubtAgain = audit.AskInDoubtAgain,
    };

    public static CloseBudget CloseBudget(this AuditState audit, string reason) => new() { AuditId = audit.CorrelationId, Attempt = audit.Attempt, Reason = reason };

    public static AuditAccepted Accepted(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        TrackingId = audit.TrackingId,
        Depth = audit.Depth,
        PlannedCalls = audit.PlannedCalls,
        WorstCaseUsd = MicroUsd.ToUsd(audit.WorstCaseMicroUsd),
        CeilingUsd = MicroUsd.ToUsd(audit.CeilingMicroUsd),
        AcceptedAt = audit.AcceptedAt ?? throw new InvalidOperationException($"Audit {audit.CorrelationId} was to be announced as accepted in state {audit.CurrentState}, but its budget is not open; this is a bug of the state machine."),
        DeadlineAt = audit.DeadlineAt,
    };

    /// <summary>Says that a message about the audit is refused; the audit itself stays as it is.</summary>
    public static AuditRejected Refused(this AuditState audit, Refusal refusal, DateTime now) => new()
    {
        AuditId = audit.CorrelationId,
        Reason = refusal.Reason,
        Detail = refusal.Detail,
        ExistingAuditId = refusal.ExistingAuditId,
        RejectedAt = now,
    };

    public static AuditRejected Rejected(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Reason = audit.FailureReason ?? throw Incomplete(audit, "reason"),
        Detail = audit.FailureDetail ?? "",
        ExistingAuditId = audit.ExistingAuditId,
        RejectedAt = audit.EndedAt ?? throw Incomplete(audit, "time of rejection"),
    };

    public static PlanQueries PlanQueries(this AuditState audit, RequestAudit request) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Request = request,
        AdvisorAvailable = audit.AdvisorAvailable,
        DeadlineAt = audit.DeadlineAt,
        AskInDoubtAgain = audit.MayAskInDoubtAgain,
    };

    public static ScoreAudit ScoreAudit(this AuditState audit) => new() { AuditId = audit.CorrelationId, Attempt = audit.Attempt, BatchIds = audit.BatchIds };

    public static DraftInsights DraftNextLayer(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Layer = audit.DraftedLayers + 1,
        ScoreId = audit.KnownScore(),
        AdvisorAvailable = audit.AdvisorAvailable,
        DeadlineAt = audit.DeadlineAt,
        AskInDoubtAgain = audit.MayAskInDoubtAgain,
    };

    public static PublishReport PublishReport(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        BatchIds = audit.BatchIds,
        AnswerCount = audit.Coverage?.Planned ?? 0,
        ScoreId = audit.KnownScore(),
        Layers = [.. Enumerable.Range(1, audit.DraftedLayers)],
    };

    public static AuditProgressed Progressed(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Phase = audit.CurrentState,
        CompletedCalls = audit.CompletedCalls,
        PlannedCalls = audit.ShownCalls,
        Fraction = audit.Fraction,
        SpentUsd = MicroUsd.ToUsd(audit.SpentMicroUsd),
        CeilingUsd = MicroUsd.ToUsd(audit.CeilingMicroUsd),
        LastProgressAt = audit.LastProgressAt,
        LastHeartbeatAt = audit.LastHeartbeatAt,
        WaitingFor = audit.WaitingFor,
        Worker = audit.Worker.Length > 0 ? audit.Worker : Worker.Name,
    };

    /// <summary>A step of this audit; the one that ended it tells the last of its progress, of which nothing else may have been told.</summary>
    public static AuditTransitioned Told(this AuditState audit, AuditTransition step)
    {
        var isEnd = step.Sequence == audit.TransitionSequence && step.Attempt == audit.Attempt && audit.AcceptedAt is not null && AuditPhases.Terminal.Contains(step.ToState, StringComparer.Ordinal);
        return step.Told() with { CompletedCalls = isEnd ? audit.CompletedCalls : null, PlannedCalls = isEnd ? audit.ShownCalls : null };
    }

    public static AuditCompleted Completed(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Brand = audit.BrandName,
        MetricsVersion = audit.MetricsVersion ?? throw Incomplete(audit, "metrics version"),
        Scores = audit.Scores ?? throw Incomplete(audit, "scores"),
        Coverage = audit.Coverage is { Planned: > 0 } coverage ? (double)coverage.Valid / coverage.Planned : throw Incomplete(audit, "coverage"),
        Simulated = audit.Simulated,
        SpentUsd = MicroUsd.ToUsd(audit.SpentMicroUsd),
        CompletedAt = audit.CompletedAt ?? throw Incomplete(audit, "time of completion"),
    };

    public static AuditFailed Failed(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Reason = audit.FailureReason ?? throw Incomplete(audit, "failure reason"),
        Detail = audit.FailureDetail ?? "",
        Phase = audit.EndedPhase ?? audit.CurrentState,
        SpentUsd = MicroUsd.ToUsd(audit.SpentMicroUsd),
        FailedAt = audit.EndedAt ?? throw Incomplete(audit, "time of failure"),
    };

    public static AuditCancelled Cancelled(this AuditState audit) => new()
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        Reason = audit.FailureDetail ?? "",
        Phase = audit.EndedPhase ?? audit.CurrentState,
        SpentUsd = MicroUsd.ToUsd(audit.SpentMicroUsd),
        CancelledAt = audit.EndedAt ?? throw Incomplete(audit, "time of cancellation"),
    };

    static Guid KnownScore(this AuditState audit) => audit.ScoreId ?? throw Incomplete(audit, "score id");

    static InvalidOperationException Incomplete(AuditState audit, string what) =>
        new($"Audit {audit.CorrelationId} in state {audit.CurrentState} was to be announced without its {what}; the transaction is rolled back. This is a bug of the state machine: report it with the audit's row.");
}
