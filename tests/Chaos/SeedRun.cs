using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using Assay.Contracts;
using Npgsql;

namespace Assay.Chaos;

/// <summary>A seed's line in the table and in the file of results.</summary>
public sealed record SeedRow
{
    public required Profile Profile { get; init; }
    public required int Seed { get; init; }

    /// <summary>Instances of the gateway, if not as many as of the others.</summary>
    public int? Gateways { get; init; }

    public required DateTime At { get; init; }
    public required string Plan { get; init; }
    public required Verdict Verdict { get; init; }

    /// <summary>From the last fault's end to the last audit's; 0 if all had ended before.</summary>
    public required double SecondsToDone { get; init; }

    public required double SecondsInAll { get; init; }
    public IReadOnlyList<string> Ends { get; init; } = [];

    /// <summary>What the saga says of each audit that did not complete.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    public IReadOnlyDictionary<string, long> ErrorQueues { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>How often a service ended because its connection to the broker was dead, and was started anew as compose does.</summary>
    public int DeadConnections { get; init; }

    [JsonIgnore]
    public bool Holds => Verdict.Violations.Count == 0;
}

/// <summary>One seed on a running world: the producer's work and the faults at once, then the wait for the end, then the check.</summary>
sealed class SeedRun(ChaosWorld world, FaultPlan plan, WorkPlan work)
{
    readonly ConcurrentDictionary<Guid, DateTime> _asked = new();
    readonly ConcurrentBag<DoneFault> _faults = [];
    readonly ConcurrentBag<Halt> _halts = [];
    IReadOnlyList<string> _gone = [];
    volatile Dictionary<Guid, (string State, int Attempt, DateTime DeadlineAt)> _states = [];
    bool _working = true;
    DateTime? _allEndedAt;

    public async Task<SeedRow> RunAsync(CancellationToken cancellationToken)
    {
        await world.HealAsync();
        world.TakeGone();
        await world.ForgetCallsAsync();
        var errorsBefore = await world.ErrorQueuesAsync();
        var deadBefore = world.DeadConnections;
        var start = DateTime.UtcNow;
        var watching = WatchAsync(cancellationToken);
        var faults = plan.Faults.Select(async fault => _faults.Add(await world.DoAsync(fault, start, cancellationToken))).ToList();
        var producing = work.Audits.Select(audit => ProduceAsync(audit, start, cancellationToken)).Append(HaltAsync(start, cancellationToken)).ToList();
        await Task.WhenAll(faults);
        await world.HealAsync();
        await Task.WhenAll(producing);
        await world.HealAsync();
        _gone = world.TakeGone();
        _working = false;
        await watching;
        var (verdict, facts) = await SettleAsync(errorsBefore.Values.Sum(), cancellationToken);
        var errors = await world.ErrorQueuesAsync();
        return new SeedRow
        {
            Profile = plan.Profile,
            Gateways = world.Settings.Gateways,
            Seed = plan.Seed,
            At = start,
            Plan = plan + (work.HaltAt is { } halt ? $"; {halt.TotalSeconds:0.0}s halt for {work.HaltFor.TotalSeconds:0.0}s" : ""),
            Verdict = verdict,
            SecondsToDone = _allEndedAt is { } ended && facts.Faults.Count > 0 ? Math.Round(Math.Max(0, (ended - facts.LastHealedAt).TotalSeconds), 1) : 0,
            SecondsInAll = Math.Round((DateTime.UtcNow - start).TotalSeconds, 1),
            Ends = [.. facts.Audits.GroupBy(audit => audit.Reason is null ? audit.State : $"{audit.State}({audit.Reason})").OrderByDescending(ends => ends.Count()).Select(ends => $"{ends.Count()} {ends.Key}")],
            Details = [.. facts.Audits.Where(audit => audit.State != AuditStates.Completed).Select(audit => $"{audit.AuditId} attempt {audit.Attempt} {audit.State} by {audit.EndedBy}: {audit.Reason} {audit.Detail}")],
            DeadConnections = world.DeadConnections - deadBefore,
            ErrorQueues = errors.Where(queue => queue.Value > errorsBefore.GetValueOrDefault(queue.Key)).ToDictionary(queue => queue.Key, queue => queue.Value - errorsBefore.GetValueOrDefault(queue.Key), StringComparer.Ordinal),
        };
    }

    /// <summary>What a producer does about one audit: request (perhaps twice), cancel, wait for the end, retry, wait again.</summary>
    async Task ProduceAsync(PlannedAudit audit, DateTime start, CancellationToken cancellationToken)
    {
        var id = audit.Request.AuditId;
        await DelayUntilAsync(start + audit.At, cancellationToken);
        if (audit.ByRest)
            await RequestByRestAsync(audit.Request, cancellationToken);
        else
            await world.Producer.SendAsync(audit.Request, cancellationToken);
        _asked[id] = DateTime.UtcNow;
        if (audit.Twice)
            await world.Producer.SendAsync(audit.Request, cancellationToken);
        if (audit.CancelAt is { } cancelAt)
        {
            await DelayUntilAsync(start + cancelAt, cancellationToken);
            await world.Producer.SendAsync(new CancelAudit { AuditId = id, Reason = "the plan says so", RequestedBy = "tests/Chaos" }, cancellationToken);
        }

        if (await EndOfAsync(id, attempt: 1, cancellationToken) is not (AuditStates.Failed or AuditStates.Cancelled) || !audit.Retry)
            return;
        var retry = new RetryAudit { AuditId = id, FromAttempt = 1, Reason = "the plan says so", AskInDoubtAgain = audit.AskInDoubtAgain, RequestedBy = "tests/Chaos" };
        // Twice, as by a double click: one attempt must start.
        await world.Producer.SendAsync(retry, cancellationToken);
        await world.Producer.SendAsync(retry, cancellationToken);
        _asked[id] = DateTime.UtcNow;
        await EndOfAsync(id, attempt: 2, cancellationToken);
    }

    async Task RequestByRestAsync(RequestAudit request, CancellationToken cancellationToken)
    {
        // As long again each time, at most the five seconds that the API asks for: a crowd that asks at once again would be most of the load.
        for (var pause = 200; await world.AskAsync(HttpMethod.Post, "api/audits", request, cancellationToken) is not { Status: 200 or 202 }; pause = Math.Min(5_000, 2 * pause))
            await Task.Delay(pause, cancellationToken);
    }

    /// <summary>Halts and resumes spending by REST, as an operator would: again until it was answered.</summary>
    async Task HaltAsync(DateTime start, CancellationToken cancellationToken)
    {
        if (work.HaltAt is not { } at)
            return;
        await DelayUntilAsync(start + at, cancellationToken);
        while (await world.AskAsync(HttpMethod.Post, "api/spending/halt", new { reason = "the plan says so" }, cancellationToken) is not { Status: 200 })
            await Task.Delay(200, cancellationToken);
        var returned = DateTime.UtcNow;
        await Task.Delay(work.HaltFor, cancellationToken);
        var resumed = DateTime.UtcNow;
        while (await world.AskAsync(HttpMethod.Post, "api/spending/resume", new { reason = "the plan says so" }, cancellationToken) is not { Status: 200 })
            await Task.Delay(200, cancellationToken);
        _halts.Add(new Halt(returned, resumed));
    }

    /// <summary>Waits until the audit has ended in this attempt or a later one, or the promise that it does is broken; null then.</summary>
    async Task<string?> EndOfAsync(Guid id, int attempt, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_states.TryGetValue(id, out var state) && state.Attempt >= attempt && Checker.IsEnded(state.State))
                return state.State;
            if (IsOverdue(id))
                return null;
            await Task.Delay(world.Settings.Look, cancellationToken);
        }
    }

    /// <summary>P1's bound has passed for this audit: 60 s after the later of its deadline and the last fault. Until all faults are over it has not.</summary>
    bool IsOverdue(Guid id)
    {
        if (_faults.Count < plan.Faults.Count || !_asked.TryGetValue(id, out var asked))
            return false;
        var deadline = _states.TryGetValue(id, out var state) && state.DeadlineAt > asked ? state.DeadlineAt : asked;
        var healed = _faults.IsEmpty ? deadline : _faults.Max(fault => fault.HealedAt);
        return DateTime.UtcNow > (deadline > healed ? deadline : healed) + world.Settings.StuckAfter;
    }

    async Task WatchAsync(CancellationToken cancellationToken)
    {
        var audits = work.Audits.Select(audit => audit.Request.AuditId).ToList();
        while (Volatile.Read(ref _working))
        {
            try
            {
                _states = (await world.StatesAsync(audits, cancellationToken)).ToDictionary();
                var ended = _states.Count == audits.Count && _states.Values.All(state => Checker.IsEnded(state.State));
                _allEndedAt = ended ? _allEndedAt ?? DateTime.UtcNow : null;
            }
            catch (NpgsqlException)
            {
                // The database is down on purpose; what was last seen stands.
            }

            await Task.Delay(world.Settings.Look, cancellationToken);
        }
    }

    /// <summary>Reads and checks until every promise holds, or none that is broken can still be kept.</summary>
    async Task<(Verdict Verdict, Facts Facts)> SettleAsync(long errorsBefore, CancellationToken cancellationToken)
    {
        var healed = _faults.IsEmpty ? DateTime.UtcNow : _faults.Max(fault => fault.HealedAt);
        var limit = DateTime.UtcNow;
        foreach (var moment in _states.Values.Select(state => state.DeadlineAt).Append(healed).Where(moment => moment > limit))
            limit = moment;
        limit += world.Settings.StuckAfter;
        while (true)
        {
            Facts facts;
            try
            {
                facts = await world.ReadFactsAsync(_asked, [.. _faults], [.. _halts], errorsBefore, cancellationToken);
            }
            catch (NpgsqlException) when (DateTime.UtcNow <= limit)
            {
                // Connections of the pool from before the database was killed.
                NpgsqlConnection.ClearAllPools();
                continue;
            }

            facts = facts with { EndedByThemselves = _gone };
            var verdict = Checker.Check(facts, world.Settings);
            if (verdict.Violations.Count == 0 && facts.Bill.InFlight == 0 || DateTime.UtcNow > limit || Hopeless(verdict))
                return (verdict, facts);
            await Task.Delay(3 * world.Settings.Look, cancellationToken);
        }
    }

    /// <summary>What can only get worse with time.</summary>
    static bool Hopeless(Verdict verdict) => verdict.DuplicatesPaid > 0 || verdict.FinishedTwice > 0 || verdict.SentAfterHalt > 0 || verdict.EndedByThemselves > 0 && verdict.Violations.Count == verdict.EndedByThemselves;

    static Task DelayUntilAsync(DateTime moment, CancellationToken cancellationToken)
    {
        var left = moment - DateTime.UtcNow;
        return left > TimeSpan.Zero ? Task.Delay(left, cancellationToken) : Task.CompletedTask;
    }
}
