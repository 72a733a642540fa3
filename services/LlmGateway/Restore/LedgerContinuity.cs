using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Halt;
using Assay.LlmGateway.Ledger;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.LlmGateway.Restore;

/// <summary>
/// Whether the ledger is all there. A database restored to an earlier point has forgotten payments, and what it would ask again was perhaps
/// paid. So a gateway sends nothing before the saga has said what it has seen of the ledger, and each flush looks whether the sequence
/// has gone back while the process ran. A ledger that is behind halts spending until <see cref="RecoverLedger"/>.
/// </summary>
sealed partial class LedgerContinuity(LedgerTransactions transactions, LedgerSignals signals, IBusControl bus, TimeProvider time, ILogger<LedgerContinuity> logger) : BackgroundService
{
    /// <summary>How the reason of this halt begins.</summary>
    public const string HaltReason = "LedgerRestored";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly SemaphoreSlim _doubted = new(0, 1);
    readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _highest;
    volatile bool _isConfirmed;

    /// <summary>Whether calls may leave: the ledger has been compared with what the saga has seen.</summary>
    public bool IsConfirmed => _isConfirmed;

    /// <summary>The highest sequence that this process has read, committed. Take it before reading the ledger, and compare with <see cref="Follows"/> after.</summary>
    public long Highest => Interlocked.Read(ref _highest);

    /// <summary>Whether a sequence that was read goes on from what was known before the reading. If it does not, nothing is sent until the saga was asked again.</summary>
    public bool Follows(long knownBefore, long sequence)
    {
        if (sequence < knownBefore)
        {
            WentBack(logger, knownBefore, sequence);
            Doubt();
            return false;
        }

        Observe(sequence);
        return _isConfirmed;
    }

    /// <summary>Whether a budget may be opened under this number, which was drawn in a transaction that still runs.</summary>
    public bool MayOpen(long knownBefore, long sequence)
    {
        if (sequence > knownBefore)
            return true;
        WentBack(logger, knownBefore, sequence - 1);
        Doubt();
        return false;
    }

    public Task WaitUntilConfirmedAsync(CancellationToken cancellationToken) => _first.Task.WaitAsync(cancellationToken);

    internal void Confirm()
    {
        _isConfirmed = true;
        _first.TrySetResult();
    }

    void Doubt()
    {
        _isConfirmed = false;
        if (_doubted.CurrentCount == 0)
            _doubted.Release();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await bus.WaitForHealthStatus(BusHealthStatus.Healthy, stoppingToken);
                await CompareAsync(stoppingToken);
                Confirm();
                signals.WakePump();
                signals.WakeSweep();
                await ((Task)_doubted.WaitAsync(stoppingToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                NotConfirmed(logger, exception);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Compares the ledger with what the saga and this process have seen of it, and halts spending if it is behind.</summary>
    async Task CompareAsync(CancellationToken cancellationToken)
    {
        var before = await transactions.ReadAsync((session, token) => session.ReadSequenceAsync(token), cancellationToken);
        var seen = await AskSagaAsync(bus, before.Sequence, cancellationToken);
        // The ledger is read after the saga has spoken: it only grows, so that what another instance opens meanwhile is no loss.
        var own = await transactions.ReadAsync((session, token) => session.ReadSequenceAsync(token), cancellationToken);
        var known = await transactions.ReadAsync((session, token) => session.ReadReportVersionsAsync([.. seen.Audits.Select(audit => audit.AuditId)], token), cancellationToken);
        if (ForgottenSequence(own.Sequence, Math.Max(seen.HighestSequence, Highest), seen.Audits, known) is { } lost && own.Lost is null)
        {
            var reason = $"{HaltReason}: the gateway's database stands at {own.Sequence}, and budgets were opened up to {lost} or paid for since. It was restored to an earlier point and has forgotten payments. Run `assay doctor --after-restore`: it fails and fences what is unfinished and lists what is missing.";
            var halted = await transactions.RunAsync(async (session, announce, token) =>
            {
                await session.LockOutFlushesAsync(token);
                var now = await session.NowAsync(token);
                await session.ExecuteAsync(
                    new Statement("UPDATE spending_halt SET halted = 1, reason = $1, halted_by = 'gateway', halted_at = $2, lost_sequence = $3, loss_found_at = $2 WHERE id = 1 AND lost_sequence IS NULL")
                        .With(reason).With(now).With(lost), token);
                var halt = await session.ReadHaltAsync(token);
                await announce.PublishAsync(halt, token);
                return halt;
            }, cancellationToken);
            Restored(logger, halted.Reason);
        }

        // From here on the ledger's own sequence counts: while it is behind, the halt keeps everything in.
        Interlocked.Exchange(ref _highest, own.Sequence);
    }

    public static async Task<LedgerSeen> AskSagaAsync(IBus bus, long sequence, CancellationToken cancellationToken) =>
        (await bus.CreateRequestClient<GetLedgerSeen>(RequestTimeout.After(s: (int)Patience.TotalSeconds)).GetResponse<LedgerSeen>(new GetLedgerSeen { LedgerSequence = sequence }, cancellationToken)).Message;

    /// <summary>How far the ledger had been, if it is behind what was seen of it; null if it misses nothing that was seen.</summary>
    internal static long? ForgottenSequence(long own, long highestSeen, IReadOnlyList<SeenBudget> seen, IReadOnlyDictionary<Guid, long> reportVersions) =>
        highestSeen > own || seen.Any(audit => IsForgotten(audit, own, reportVersions)) ? Math.Max(own, highestSeen) : null;

    /// <summary>Whether more was seen of an audit than the ledger knows. A budget that is absent was forgotten only if it was opened after what the ledger knows; else it was pruned.</summary>
    internal static bool IsForgotten(SeenBudget seen, long own, IReadOnlyDictionary<Guid, long> reportVersions) =>
        reportVersions.TryGetValue(seen.AuditId, out var version) ? seen.ReportVersion > version : seen.LedgerSequence > own;

    void Observe(long sequence)
    {
        for (var known = Highest; sequence > known; known = Highest)
            if (Interlocked.CompareExchange(ref _highest, sequence, known) == known)
                return;
    }

    public override void Dispose()
    {
        _doubted.Dispose();
        base.Dispose();
    }

    [LoggerMessage(LogLevel.Warning, "Nothing is sent until the saga has said what it has seen of this ledger; asking again. Check that the saga runs and reaches the same broker.")]
    static partial void NotConfirmed(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "The ledger's sequence went back from {Known} to {Sequence} while this process ran; nothing is sent until the saga was asked again")]
    static partial void WentBack(ILogger logger, long known, long sequence);

    [LoggerMessage(LogLevel.Critical, "Spending is halted. {Reason}")]
    static partial void Restored(ILogger logger, string reason);
}

/// <summary>Where a ledger stands.</summary>
sealed record LedgerPosition(long Sequence, long? Lost, DateTime? LossFoundAt);

static class PositionReading
{
    public static async Task<LedgerPosition> ReadSequenceAsync(this LedgerSession session, CancellationToken cancellationToken) => (await session.QueryAsync(
        new Statement("SELECT ledger_sequence, lost_sequence, loss_found_at FROM spending_halt WHERE id = 1"),
        row => new LedgerPosition(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetInt64(1), row.UtcOrNull(2)), cancellationToken))[0];

    public static async Task<Dictionary<Guid, long>> ReadReportVersionsAsync(this LedgerSession session, Guid[] auditIds, CancellationToken cancellationToken) =>
        auditIds.Length == 0 ? [] : (await session.QueryAsync(
            new Statement($"SELECT audit_id, report_version FROM audit_budget WHERE {session.In("audit_id", 1)}").With(auditIds), row => (Id: row.GetGuid(0), Version: row.GetInt64(1)), cancellationToken)).ToDictionary(row => row.Id, row => row.Version);
}
