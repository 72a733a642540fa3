using Assay.Contracts.Internal.LlmGateway;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.LifeSigns;

/// <summary>
/// Batches say once a second each that they are alive; with a thousand audits that would be most of what the saga's database does, and
/// nearly all of it says what the row knows already. Each instance therefore lets through only what tells the row something, and a renewal
/// often enough that no audit seems stalled. What it has let through is in memory only: after a restart one sign more goes through.
/// </summary>
sealed class SignsOfLife(IOptions<AuditSagaOptions> options, TimeProvider clock)
{
    readonly Lock gate = new();
    readonly Dictionary<Guid, SeenLife> seen = [];
    DateTime sweptAt;

    /// <summary>How many audits are remembered.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return seen.Count;
        }
    }

    /// <summary>Whether a sign is to be taken to the row; if so, it counts as taken.</summary>
    public bool Take(BatchAlive sign)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        lock (gate)
        {
            ForgetSilent(now);
            var known = seen.GetValueOrDefault(sign.AuditId);
            if (!SignRules.Matters(known, sign, now, options.Value))
                return false;
            seen[sign.AuditId] = SignRules.After(known, sign, now);
            return true;
        }
    }

    void ForgetSilent(DateTime now)
    {
        if (now - sweptAt < options.Value.StallTimeout)
            return;
        sweptAt = now;
        foreach (var (auditId, life) in seen)
            if (now - life.TakenAt >= options.Value.StallTimeout)
                seen.Remove(auditId);
    }
}

/// <summary>The last sign of an audit that was taken, and what is known of its batches.</summary>
sealed record SeenLife(int Attempt, DateTime TakenAt, IReadOnlyDictionary<Guid, SeenBatch> Batches);

/// <summary>What a batch last said.</summary>
readonly record struct SeenBatch(int Decided, bool Waits);

/// <summary>Which signs of life tell something.</summary>
static class SignRules
{
    /// <summary>A wait is told again this often within a stall timeout.</summary>
    const int RenewalsInStallTimeout = 30;

    /// <summary>A batch that has moved on by this share of its calls is heard out of turn, so that one batch cannot always speak first.</summary>
    const int StepsOfBatch = 10;

    public static bool Matters(SeenLife? seen, BatchAlive sign, DateTime now, AuditSagaOptions options)
    {
        if (seen is null || sign.Attempt > seen.Attempt)
            return true;
        if (sign.Attempt < seen.Attempt)
            return false;

        var renewal = options.StallTimeout / RenewalsInStallTimeout;
        var turn = options.ProgressInterval < renewal ? options.ProgressInterval : renewal;
        var since = now - seen.TakenAt;
        var batch = seen.Batches.GetValueOrDefault(sign.BatchId ?? Guid.Empty);
        var decided = sign.DecidedCalls - batch.Decided;
        var waits = sign.WaitingFor is not null;
        return (decided > 0 && (since >= turn || decided * StepsOfBatch >= sign.TotalCalls))
            || (waits != batch.Waits && since >= turn)
            || (waits && since >= renewal);
    }

    public static SeenLife After(SeenLife? seen, BatchAlive sign, DateTime now)
    {
        var batches = seen?.Attempt == sign.Attempt ? seen.Batches.ToDictionary() : [];
        batches[sign.BatchId ?? Guid.Empty] = new(sign.DecidedCalls, sign.WaitingFor is not null);
        return new(sign.Attempt, now, batches);
    }
}
