using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Restore;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Pump;

/// <summary>
/// Says of open batches what became of them since the last sign, or what they wait for: at most once a second each, whatever the number of
/// instances, and less often the more are open, so that signs do not outnumber the work. A batch whose calls merely hang is not alive, and
/// gets no sign.
/// </summary>
sealed partial class BatchHeartbeat(LedgerTransactions transactions, EngineLanes lanes, CallPump pump, LedgerContinuity continuity, GatewayOwner owner, IBus bus, IOptions<LlmGatewayOptions> options,
    TimeProvider time, ILogger<BatchHeartbeat> logger) : BackgroundService
{
    Dictionary<Guid, long> _decided = [];

    sealed record OpenBatch(Guid BatchId, Guid AuditId, int Attempt, string Engine, long Total, long Decided, long Planned, long Spent);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await SayAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                SignFailed(logger, exception);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(IntervalFor(_decided.Count), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    TimeSpan IntervalFor(int openBatches) => SignPace.IntervalFor(openBatches, options.Value.LongestSignInterval);

    async Task SayAsync(CancellationToken cancellationToken)
    {
        var open = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement($"""
                SELECT b.batch_id, b.audit_id, b.attempt, b.engine, COUNT(*), COUNT(CASE WHEN c.state NOT IN ('Planned', 'Sending') THEN 1 END),
                       COUNT(CASE WHEN c.state = 'Planned' THEN 1 END),
                       COALESCE((SELECT spent_micro_usd FROM spending WHERE scope = 'audit:' || LOWER(CAST(b.audit_id AS TEXT))), 0)
                FROM {CallStatements.OpenCalls} GROUP BY b.batch_id, b.audit_id, b.attempt, b.engine
                """),
            row => new OpenBatch(row.GetGuid(0), row.GetGuid(1), row.GetInt32(2), row.GetString(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7)), token), cancellationToken);

        var before = _decided;
        _decided = open.ToDictionary(batch => batch.BatchId, batch => batch.Decided);
        var alive = open.Where(batch => HasProgressed(batch) || batch.Planned > 0).ToDictionary(batch => batch.BatchId);
        if (alive.Count == 0)
            return;
        var interval = IntervalFor(open.Count);
        // Each sign is written down first, so that several instances together keep to one in an interval.
        var (at, mine) = await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            var marked = await session.QueryAsync(
                new Statement($"UPDATE batch SET alive_at = $2 WHERE {session.In("batch_id", 1)} AND (alive_at IS NULL OR alive_at < $3) RETURNING batch_id").With(alive.Keys.Order().ToArray()).With(now).With(now - 0.9 * interval),
                row => row.GetGuid(0), token);
            return (now, marked);
        }, cancellationToken);
        foreach (var batch in mine.Select(id => alive[id]))
            await bus.Publish(Sign(batch, HasProgressed(batch), at), cancellationToken);

        bool HasProgressed(OpenBatch batch) => batch.Decided > before.GetValueOrDefault(batch.BatchId);
    }

    BatchAlive Sign(OpenBatch batch, bool progressed, DateTime at)
    {
        (string For, DateTimeOffset? Until)? waiting = progressed ? null
            : !continuity.IsConfirmed ? ("the saga to confirm this ledger", null)
            : pump.WaitingForMoney.Contains(batch.AuditId) ? ("money: open calls hold what the ceiling has left", null)
            : lanes.Find(batch.Engine)?.Waiting ?? ("its turn", null);
        return new BatchAlive
        {
            AuditId = batch.AuditId,
            Attempt = batch.Attempt,
            BatchId = batch.BatchId,
            Engine = batch.Engine,
            WaitingFor = waiting?.For,
            Until = waiting?.Until?.UtcDateTime,
            DecidedCalls = (int)batch.Decided,
            TotalCalls = (int)batch.Total,
            SpentMicroUsd = batch.Spent,
            Worker = owner.Worker,
            At = at,
        };
    }

    [LoggerMessage(LogLevel.Warning, "Cannot say which batches are alive; audits may be called stalled if this lasts. Check the gateway's database and the broker.")]
    static partial void SignFailed(ILogger logger, Exception exception);
}

/// <summary>How often open batches are spoken of.</summary>
static class SignPace
{
    static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    const double SignsPerSecond = 25;

    /// <summary>The time between two signs of one batch: a second, or what keeps all of them to 25 a second, but never more than <paramref name="longest"/>.</summary>
    public static TimeSpan IntervalFor(int openBatches, TimeSpan longest)
    {
        var paced = TimeSpan.FromSeconds(Math.Max(Shortest.TotalSeconds, openBatches / SignsPerSecond));
        return paced < longest ? paced : longest;
    }
}
