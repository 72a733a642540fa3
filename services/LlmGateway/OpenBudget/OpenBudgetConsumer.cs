using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.LlmGateway.CloseBudget;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Quote;
using Assay.LlmGateway.Restore;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Message = Assay.Contracts.Internal.LlmGateway.OpenBudget;

namespace Assay.LlmGateway.OpenBudget;

/// <summary>Judges an attempt and gives it its money, or puts it in the queue for it. A known attempt gets its answer again.</summary>
sealed partial class OpenBudgetConsumer(
    LlmGatewayDbContext database, IEngineCatalog engines, BudgetOpening opening, LedgerContinuity continuity, LedgerSignals signals, IOptions<LlmGatewayOptions> options, TimeProvider time,
    ILogger<OpenBudgetConsumer> logger) : IConsumer<Message>
{
    static readonly HashSet<string> NothingBlocked = [];

    public async Task Consume(ConsumeContext<Message> context)
    {
        var (message, cancellationToken) = (context.Message, context.CancellationToken);
        var session = new LedgerSession(database, time);
        var announce = new AnnounceByConsumer(context);

        if (await EnterQueueAsync(session, announce, message, cancellationToken) is not { } budget)
            return;

        var plan = AuditPlan.Of(message.Request, engines, options.Value);
        if (await JudgeAsync(session, message, budget, plan, cancellationToken) is { } refusal)
        {
            await BudgetOpening.RefuseAsync(session, announce, budget, refusal, cancellationToken);
            RefusedBudget(logger, message.AuditId, message.Attempt, refusal.Reason, refusal.Detail);
            return;
        }

        PlannedBudget(logger, message.AuditId, message.Attempt, plan.Calls, plan.WorstCaseMicroUsd);

        await session.ExecuteAsync(
            new Statement("""
                UPDATE audit_budget SET planned_calls = $2, worst_case_micro_usd = $3, answers_worst_micro_usd = $4, insights_worst_micro_usd = $5, pins_json = $6, trace_parent = $7 WHERE audit_id = $1
                """).With(message.AuditId).With(plan.Calls).With(plan.WorstCaseMicroUsd).With(plan.AnswersWorstMicroUsd).With(plan.InsightsWorstMicroUsd)
                .With(JsonSerializer.Serialize(plan.Pins(), AssayJson.Options)).With(AuditTrace.Current), cancellationToken);

        // First come, first served: who finds a queue joins it, and the sweep lets it move.
        var others = await session.QueryAsync(
            new Statement("SELECT 1 FROM audit_budget WHERE state = 'Waiting' AND audit_id <> $1 LIMIT 1").With(message.AuditId), row => row.GetInt32(0), cancellationToken);
        if (others.Count == 0 && continuity.IsConfirmed)
            await opening.TryOpenAsync(session, announce, message.AuditId, NothingBlocked, cancellationToken);
        database.Committed += signals.WakeSweep;
    }

    /// <summary>Makes the attempt's row, closing every earlier attempt; null if the attempt is known or closed and nothing is left to judge.</summary>
    async Task<BudgetView?> EnterQueueAsync(LedgerSession session, IAnnounce announce, Message message, CancellationToken cancellationToken)
    {
        var now = await session.NowAsync(cancellationToken);
        var inserted = await session.ExecuteAsync(
            new Statement("""
                INSERT INTO audit_budget (audit_id, tracking_id, attempt, closed_attempt, state, ceiling_micro_usd, tree_ceiling_micro_usd, planned_calls, worst_case_micro_usd, answers_worst_micro_usd,
                    insights_worst_micro_usd, allocated_micro_usd, reserved_micro_usd, deadline_at, in_doubt_policy, ask_again_attempt, queue_number, requested_at, ledger_sequence, report_version)
                VALUES ($1, $2, $3, $4, 'Waiting', $5, $6, 0, 0, 0, 0, 0, 0, $7, $8, $9, $10, $11, 0, 0) ON CONFLICT (audit_id) DO NOTHING
                """).With(message.AuditId).With(message.TrackingId).With(message.Attempt).With(message.Attempt - 1).With(message.CeilingMicroUsd).With(message.TreeCeilingMicroUsd)
                .With(message.DeadlineAt).With(message.Request.InDoubt).With(message.AskInDoubtAgain ? message.Attempt : 0).With(now.Ticks).With(now), cancellationToken);
        var known = (await session.LockBudgetsAsync([message.AuditId], share: false, cancellationToken))[message.AuditId];
        if (inserted == 1)
            return known;
        if (message.Attempt < known.Attempt || message.Attempt <= known.ClosedAttempt)
            return null;
        if (message.Attempt == known.Attempt)
        {
            await BudgetOpening.RepeatAsync(session, announce, known, cancellationToken);
            return null;
        }

        // Two attempts may belong to two days and trees: all scopes are locked in one go, or two transactions could wait for each other.
        await session.LockSpendingAsync([.. known.ScopesOf(), Scopes.Tree(message.TrackingId), Scopes.Day(Scopes.DayOf(now))], cancellationToken);
        await session.CloseBudgetAsync(announce, message.AuditId, message.Attempt - 1, cancellationToken);
        await session.ExecuteAsync(
            new Statement("""
                UPDATE audit_budget SET tracking_id = $2, attempt = $3, state = 'Waiting',
                    tree_ceiling_micro_usd = CASE WHEN $6 AND $4 > ceiling_micro_usd AND tree_ceiling_micro_usd + $4 - ceiling_micro_usd > $5 THEN tree_ceiling_micro_usd + $4 - ceiling_micro_usd ELSE $5 END,
                    ceiling_micro_usd = CASE WHEN $4 > ceiling_micro_usd THEN $4 ELSE ceiling_micro_usd END,
                    deadline_at = $7, in_doubt_policy = $8, ask_again_attempt = $9, queue_number = $10, requested_at = $11, day = NULL, opened_at = NULL, refusal_reason = NULL, refusal_detail = NULL
                WHERE audit_id = $1
                """).With(message.AuditId).With(message.TrackingId).With(message.Attempt).With(message.CeilingMicroUsd).With(message.TreeCeilingMicroUsd).With(message.TreeCeilingDefaulted)
                .With(message.DeadlineAt).With(message.Request.InDoubt).With(message.AskInDoubtAgain ? message.Attempt : 0).With(now.Ticks).With(now), cancellationToken);
        return (await session.LockBudgetsAsync([message.AuditId], share: false, cancellationToken))[message.AuditId];
    }

    [LoggerMessage(LogLevel.Information, "Audit {AuditId}, attempt {Attempt}, asks for a budget of {Calls} calls, at worst {WorstCaseMicroUsd} micro-dollars")]
    static partial void PlannedBudget(ILogger logger, Guid auditId, int attempt, int calls, long worstCaseMicroUsd);

    [LoggerMessage(LogLevel.Information, "Refused audit {AuditId}, attempt {Attempt}, a budget: {Reason}, {Detail}")]
    static partial void RefusedBudget(ILogger logger, Guid auditId, int attempt, string reason, string detail);

    async Task<Refusal?> JudgeAsync(LedgerSession session, Message message, BudgetView budget, AuditPlan plan, CancellationToken cancellationToken)
    {
        if (BudgetJudgement.OfPlan(plan, message.CeilingMicroUsd, spentMicroUsd: 0, isRetry: message.Attempt > 1) is { } refusal)
            return refusal;
        if (budget.PinsJson is { } pins && BudgetOpening.Pins(pins).Select(pin => pin.DifferenceTo(engines.Find(pin.Engine))).OfType<string>().ToList() is { Count: > 0 } differences)
            return BudgetJudgement.Changed(differences);
        var halts = await session.QueryAsync(new Statement("SELECT reason FROM spending_halt WHERE halted = 1"), row => row.GetString(0), cancellationToken);
        return halts.Count > 0 ? BudgetJudgement.Halted(halts[0]) : null;
    }
}

sealed class OpenBudgetConsumerDefinition : AssayConsumerDefinition<OpenBudgetConsumer, LlmGatewayDbContext>;
