using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.AuditSaga.Audits;

/// <summary>The fence between attempts: a message of another attempt, faults and timers included, changes nothing.</summary>
static class AttemptFence
{
    public static bool ThisAttempt<T>(BehaviorContext<AuditState, T> context) where T : class => AttemptOf(context.Message) == context.Saga.Attempt;

    /// <summary>A batch that was given up matters only while its answers are waited for.</summary>
    public static bool ForOpenWork(BehaviorContext<AuditState, Fault<AskEngine>> context) =>
        ThisAttempt(context) && context.Saga.WaitsFor(context.Message.Message.Purpose, context.Message.Message.BatchId);

    /// <inheritdoc cref="ForOpenWork(BehaviorContext{AuditState, Fault{AskEngine}})"/>
    public static bool ForOpenWork(BehaviorContext<AuditState, Fault<EngineAnswered>> context) =>
        ThisAttempt(context) && context.Saga.WaitsFor(context.Message.Message.Purpose, context.Message.Message.BatchId);

    /// <exception cref="ArgumentException">The message carries no attempt known here.</exception>
    public static int AttemptOf(object message) => message switch
    {
        BudgetOpened m => m.Attempt,
        BudgetRefused m => m.Attempt,
        BatchAlive m => m.Attempt,
        QueriesPlanned m => m.Attempt,
        AnswersAnalyzed m => m.Attempt,
        AuditScored m => m.Attempt,
        InsightsDrafted m => m.Attempt,
        ReportPublished m => m.Attempt,
        AuditStalled m => m.Attempt,
        AuditDeadlinePassed m => m.Attempt,
        Fault<OpenBudget> m => m.Message.Attempt,
        Fault<PlanQueries> m => m.Message.Attempt,
        Fault<AskEngine> m => m.Message.Attempt,
        Fault<EngineAnswered> m => m.Message.Attempt,
        Fault<ScoreAudit> m => m.Message.Attempt,
        Fault<DraftInsights> m => m.Message.Attempt,
        Fault<PublishReport> m => m.Message.Attempt,
        Fault<CloseBudget> m => m.Message.Attempt,
        _ => throw new ArgumentException($"{message.GetType().Name} has no attempt here: add it to {nameof(AttemptFence)}, or do not fence it.", nameof(message)),
    };
}
