using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Integrity;

/// <summary>
/// A retry overwrites the end of the attempt before it in the audit's row; its last transition stays. In the state machine each message or
/// timer ends an attempt for one reason only. The watch ends for several: there the reason is left open.
/// </summary>
static class EarlierAttempts
{
    public static IReadOnlyList<EarlierEnd> EndsOf(IEnumerable<AuditTransition> steps, int attempt) =>
    [
        .. from step in steps
           where step.Attempt < attempt && (step.ToState is AuditStates.Failed or AuditStates.Cancelled)
           orderby step.Sequence
           group step by step.Attempt into ofOne
           let end = ofOne.Last()
           select new EarlierEnd { Attempt = end.Attempt, Status = end.ToState, Phase = end.FromState, Trigger = end.Trigger, Reason = ReasonOf(end), EndedAt = end.At },
    ];

    static string? ReasonOf(AuditTransition end) => end.Trigger switch
    {
        nameof(CancelAudit) => AuditStates.Cancelled,
        nameof(AuditStalled) => FailureReasons.Stalled,
        nameof(AuditDeadlinePassed) => FailureReasons.DeadlinePassed,
        nameof(BudgetRefused) => FailureReasons.BudgetRefused,
        nameof(QueriesPlanned) => FailureReasons.PlanFailed,
        nameof(AnswersAnalyzed) => FailureReasons.InsufficientCoverage,
        var trigger when trigger.StartsWith("Fault<", StringComparison.Ordinal) => FailureReasons.Fault,
        _ => null,
    };
}
