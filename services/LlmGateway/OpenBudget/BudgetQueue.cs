using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Restore;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.LlmGateway.OpenBudget;

/// <summary>The queue for money, first come, first served: who cannot be served blocks those behind who want the same scope.</summary>
sealed class BudgetQueue(LedgerTransactions transactions, BudgetOpening opening, LedgerContinuity continuity, GatewayOwner owner, IBus bus)
{
    /// <summary>Opens or refuses what can be decided now; says of the others that they are alive.</summary>
    public async Task MoveAsync(CancellationToken cancellationToken)
    {
        var waiting = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement("SELECT audit_id FROM audit_budget WHERE state = 'Waiting' ORDER BY queue_number, audit_id"), row => row.GetGuid(0), token), cancellationToken);
        HashSet<string> blocked = new(StringComparer.Ordinal);
        foreach (var auditId in waiting)
        {
            var waitsFor = !continuity.IsConfirmed ? "the saga to confirm this ledger" : await transactions.RunAsync((session, announce, token) => opening.TryOpenAsync(session, announce, auditId, blocked, token), cancellationToken);
            if (waitsFor is null)
                continue;
            blocked.Add(waitsFor);
            await SayAliveAsync(auditId, waitsFor, cancellationToken);
        }
    }

    async Task SayAliveAsync(Guid auditId, string scope, CancellationToken cancellationToken)
    {
        var signs = await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            return await session.QueryAsync(
                new Statement("UPDATE audit_budget SET alive_at = $2 WHERE audit_id = $1 AND state = 'Waiting' AND (alive_at IS NULL OR alive_at < $3) RETURNING attempt, planned_calls").With(auditId).With(now).With(now.AddSeconds(-1)),
                row => new BatchAlive
                {
                    AuditId = auditId,
                    Attempt = row.GetInt32(0),
                    WaitingFor = continuity.IsConfirmed ? $"money: open audits hold what {scope} has left" : scope,
                    DecidedCalls = 0,
                    TotalCalls = row.GetInt32(1),
                    SpentMicroUsd = 0,
                    Worker = owner.Worker,
                    At = now,
                }, token);
        }, cancellationToken);
        foreach (var sign in signs)
            await bus.Publish(sign, cancellationToken);
    }
}
