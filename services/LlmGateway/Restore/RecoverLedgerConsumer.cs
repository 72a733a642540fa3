using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.CloseBudget;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Pump;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Assay.LlmGateway.Restore;

/// <summary>
/// What <c>assay doctor --after-restore</c> does: audits are failed in the saga, budgets fenced here, what is missing listed, and the sequence
/// lifted above everything that was seen. Only then does the halt end. Stopped half-way it is done again from the start.
/// </summary>
sealed partial class RecoverLedgerConsumer(LedgerTransactions transactions, EngineSwitches switches, IBus bus, ILogger<RecoverLedgerConsumer> logger) : IConsumer<RecoverLedger>
{
    public async Task Consume(ConsumeContext<RecoverLedger> context)
    {
        var cancellationToken = context.CancellationToken;
        var position = await transactions.ReadAsync((session, token) => session.ReadSequenceAsync(token), cancellationToken);
        if (position.Lost is not { } lost)
        {
            await context.RespondAsync(new LedgerRecovered { WasRestored = false, LedgerSequence = position.Sequence, HighestSequence = position.Sequence, FailedAudits = [], FencedAudits = [], Forgotten = [] });
            return;
        }

        // What is missing is read before anything changes it.
        var seen = await LedgerContinuity.AskSagaAsync(bus, position.Sequence, cancellationToken);
        var (from, forgotten) = await transactions.ReadAsync((session, token) => ReadLossAsync(session, position.Sequence, seen, token), cancellationToken);
        var failed = await bus.CreateRequestClient<FailLiveAudits>(RequestTimeout.After(s: 60)).GetResponse<LiveAuditsFailed>(
            new FailLiveAudits { Detail = $"The ledger was restored to an earlier point ({position.Sequence} of {lost}) and has forgotten payments." }, cancellationToken);
        var fenced = await FenceAsync(seen, cancellationToken);
        await transactions.RunAsync(async (session, announce, token) =>
        {
            await session.LockOutFlushesAsync(token);
            await session.ExecuteAsync(
                new Statement("UPDATE spending_halt SET halted = 0, lost_sequence = NULL, loss_found_at = NULL, ledger_sequence = CASE WHEN ledger_sequence > $1 THEN ledger_sequence + 1 ELSE $1 + 1 END WHERE id = 1 AND lost_sequence IS NOT NULL")
                    .With(Math.Max(lost, seen.HighestSequence)), token);
            await announce.PublishAsync(new SpendingResumed { Reason = context.Message.Reason, ResumedBy = context.Message.RequestedBy, ResumedAt = await session.NowAsync(token) }, token);
        }, cancellationToken);
        await switches.ApplyAsync(cancellationToken);
        Recovered(logger, context.Message.RequestedBy, position.Sequence, lost, failed.Message.AuditIds.Count, fenced.Count, forgotten.Count);
        await context.RespondAsync(new LedgerRecovered
        {
            WasRestored = true,
            LedgerSequence = position.Sequence,
            HighestSequence = lost,
            UnknownFrom = from,
            UnknownTo = position.LossFoundAt,
            FailedAudits = failed.Message.AuditIds,
            FencedAudits = fenced,
            Forgotten = forgotten,
        });
    }

    static async Task<(DateTime? From, IReadOnlyList<ForgottenSpending> Forgotten)> ReadLossAsync(LedgerSession session, long own, LedgerSeen seen, CancellationToken cancellationToken)
    {
        var last = await session.QueryAsync(
            new Statement("SELECT MAX(at) FROM (SELECT MAX(sent_at) AS at FROM every_try UNION ALL SELECT MAX(ended_at) FROM every_try WHERE reason IS NULL OR reason <> $1 UNION ALL SELECT MAX(opened_at) FROM audit_budget) known").With(CallReasons.OwnerLost),
            row => row.IsDBNull(0) ? (DateTime?)null : DateTime.SpecifyKind(Convert.ToDateTime(row.GetValue(0), System.Globalization.CultureInfo.InvariantCulture), DateTimeKind.Utc), cancellationToken);
        var ids = seen.Audits.Select(audit => audit.AuditId).ToArray();
        var versions = await session.ReadReportVersionsAsync(ids, cancellationToken);
        var spent = ids.Length == 0 ? [] : (await session.QueryAsync(
            new Statement($"SELECT scope, spent_micro_usd FROM spending WHERE {session.In("scope", 1)}").With(ids.Select(Scopes.Audit).ToArray()), row => (Scope: row.GetString(0), Spent: row.GetInt64(1)), cancellationToken))
            .ToDictionary(row => row.Scope, row => row.Spent, StringComparer.Ordinal);
        return (last[0],
        [
            .. seen.Audits.Where(audit => LedgerContinuity.IsForgotten(audit, own, versions) || audit.LedgerSequence > own).Select(audit => new ForgottenSpending
            {
                AuditId = audit.AuditId,
                Attempt = audit.Attempt,
                State = audit.State,
                SeenMicroUsd = audit.SpentMicroUsd,
                KnownMicroUsd = spent.GetValueOrDefault(Scopes.Audit(audit.AuditId)),
                LastProgressAt = audit.LastProgressAt,
            }),
        ]);
    }

    /// <summary>Closes what the ledger holds open and what the saga was running, whether the ledger remembers it or not.</summary>
    async Task<IReadOnlyList<Guid>> FenceAsync(LedgerSeen seen, CancellationToken cancellationToken)
    {
        var open = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement("SELECT audit_id, attempt FROM audit_budget WHERE state IN ('Open', 'Waiting')"), row => (AuditId: row.GetGuid(0), Attempt: row.GetInt32(1)), token), cancellationToken);
        var attempts = open.Concat(seen.Audits.Where(audit => audit.Live).Select(audit => (audit.AuditId, audit.Attempt))).GroupBy(audit => audit.AuditId, audit => audit.Attempt).ToList();
        foreach (var audit in attempts)
            await transactions.RunAsync(async (session, announce, token) =>
            {
                await session.CloseBudgetAsync(announce, audit.Key, audit.Max(), token);
                await session.ReportBudgetAsync(announce, audit.Key, token);
            }, cancellationToken);
        return [.. attempts.Select(audit => audit.Key)];
    }

    [LoggerMessage(LogLevel.Warning, "{By} recovered the restored ledger (from {Known} to {Lost}): {Failed} audits failed, {Fenced} budgets fenced, {Forgotten} audits with forgotten payments. Spending is allowed again.")]
    static partial void Recovered(ILogger logger, string by, long known, long lost, int failed, int fenced, int forgotten);
}

/// <summary>No inbox and no outbox: it keeps its own transactions, and half of it done is done again.</summary>
sealed class RecoverLedgerConsumerDefinition : ConsumerDefinition<RecoverLedgerConsumer>;
