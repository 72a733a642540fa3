using System.Globalization;
using Assay.Contracts;

namespace Assay.Chaos;

/// <summary>One line of the table: what a seed showed.</summary>
public sealed record Verdict
{
    public int Audits { get; init; }
    public int Terminal { get; init; }
    public int Completed { get; init; }
    public int Stuck { get; init; }
    public int FinishedTwice { get; init; }
    public int Unheard { get; init; }
    public int Calls { get; init; }
    public int DuplicatesPaid { get; init; }
    public int InDoubt { get; init; }
    public int InDoubtUnexplained { get; init; }

    /// <summary>Doubts long after a fault, each explained by a request that the link saw vanish on a connection from that time.</summary>
    public int InDoubtLate { get; init; }
    public long LedgerMicroUsd { get; init; }
    public long BillMicroUsd { get; init; }
    public long OvershootMicroUsd { get; init; }
    public int SentAfterHalt { get; init; }
    public int ContradictoryRows { get; init; }
    public long InErrorQueues { get; init; }
    public int EndedByThemselves { get; init; }

    /// <summary>Each broken promise, in words.</summary>
    public IReadOnlyList<string> Violations { get; init; } = [];
}

/// <summary>
/// Holds the facts against the promises. It allows what the ledger's protocol allows by kind of fault, and nothing else: a call in doubt needs a
/// fault that explains it, a second payment needs a recorded permission.
/// </summary>
public static class Checker
{
    static readonly HashSet<string> Ended = new(StringComparer.Ordinal) { AuditStates.Completed, AuditStates.Failed, AuditStates.Cancelled, AuditStates.Rejected };

    /// <summary>What the provider does that leaves nobody knowing whether an answer was billed.</summary>
    static readonly HashSet<string> DoubtfulFaults = new(StringComparer.Ordinal) { "500", "hang", "trunc", "reset", "slow" };

    static readonly TimeSpan BytesLeaveWithin = TimeSpan.FromSeconds(1);

    /// <summary>How far the moments of two processes on one machine may lie apart.</summary>
    static readonly TimeSpan Clocks = TimeSpan.FromSeconds(0.5);

    public static bool IsEnded(string state) => Ended.Contains(state);

    public static Verdict Check(Facts facts, ChaosSettings settings)
    {
        List<string> violations = [];
        var states = facts.Audits.ToDictionary(audit => audit.AuditId);

        var lost = facts.Asked.Keys.Where(id => !states.ContainsKey(id)).ToList();
        var live = facts.Audits.Where(audit => !IsEnded(audit.State)).ToList();
        violations.AddRange(lost.Select(id => $"P1: audit {id} was asked for at {facts.Asked[id]:HH:mm:ss} and nobody knows it"));
        violations.AddRange(live.Select(audit => $"P1: audit {audit.AuditId} is still {audit.State}; deadline {audit.DeadlineAt:HH:mm:ss}, last fault over at {facts.LastHealedAt:HH:mm:ss}, now {facts.At:HH:mm:ss}"));

        var twice = FinishedTwice(facts).ToList();
        violations.AddRange(twice);
        var heardOf = facts.Heard.ToLookup(heard => heard.AuditId);
        var unheard = facts.Audits.Where(audit => IsEnded(audit.State) && !heardOf[audit.AuditId].Any(heard => heard.State == audit.State && (heard.Attempt == audit.Attempt || audit.State == AuditStates.Rejected))).ToList();
        violations.AddRange(unheard.Select(audit => $"P1: audit {audit.AuditId} is {audit.State} in attempt {audit.Attempt}, and the producer has not heard it"));

        var (duplicates, duplicateWords) = Duplicates(facts);
        violations.AddRange(duplicateWords);
        var doubtful = facts.Tries.Where(one => one.State == "InDoubt").ToList();
        var (unexplained, late) = Unexplained(facts, doubtful, settings);
        violations.AddRange(unexplained.Select(one => $"P3: try {one.TryId} of call {one.CallKey} (audit {one.AuditId}, sent {one.SentAt:HH:mm:ss.fff}) is in doubt ({one.Reason}), and no fault explains it"));

        var (ledger, bill, moneyWords) = Money(facts);
        violations.AddRange(moneyWords);
        var overshoot = facts.Scopes.Sum(scope => Math.Max(0, scope.Reserved + scope.Spent - scope.Ceiling) + scope.Overrun);
        if (overshoot > 0)
            violations.Add($"P2: {overshoot} µ$ above the ceilings: {string.Join(", ", facts.Scopes.Where(scope => scope.Reserved + scope.Spent > scope.Ceiling || scope.Overrun > 0))}");

        var afterHalt = SentAfterHalt(facts).ToList();
        violations.AddRange(afterHalt.Select(call => $"P7: call {call.Id} reached the provider at {call.At:HH:mm:ss.fff}, more than 1 s after a halt had returned"));

        var contradictions = Contradictions(facts, states).ToList();
        violations.AddRange(contradictions);

        violations.AddRange(facts.EndedByThemselves);

        return new Verdict
        {
            EndedByThemselves = facts.EndedByThemselves.Count,
            Audits = facts.Asked.Count,
            Terminal = facts.Audits.Count - live.Count,
            Completed = facts.Audits.Count(audit => audit.State == AuditStates.Completed),
            Stuck = live.Count + lost.Count,
            FinishedTwice = twice.Count,
            Unheard = unheard.Count,
            Calls = facts.Calls.Count,
            DuplicatesPaid = duplicates,
            InDoubt = doubtful.Count,
            InDoubtUnexplained = unexplained.Count,
            InDoubtLate = late,
            LedgerMicroUsd = ledger,
            BillMicroUsd = bill,
            OvershootMicroUsd = overshoot,
            SentAfterHalt = afterHalt.Count,
            ContradictoryRows = contradictions.Count,
            InErrorQueues = facts.InErrorQueues,
            Violations = violations,
        };
    }

    /// <summary>An attempt ends once: one step into a terminal state, and events that all say the same (the same event may come again).</summary>
    static IEnumerable<string> FinishedTwice(Facts facts)
    {
        foreach (var steps in facts.Transitions.Where(step => IsEnded(step.To) && step.To != AuditStates.Rejected).GroupBy(step => (step.AuditId, step.Attempt)).Where(steps => steps.Count() > 1))
            yield return $"P1: attempt {steps.Key.Attempt} of audit {steps.Key.AuditId} ended {steps.Count()} times: {string.Join(", ", steps.Select(step => step.To))}";
        foreach (var events in facts.Heard.Where(heard => heard.State != AuditStates.Rejected).GroupBy(heard => (heard.AuditId, heard.Attempt)))
        {
            var said = events.Select(heard => (heard.State, heard.Reason)).Distinct().ToList();
            if (said.Count > 1)
                yield return $"P1: the producer heard attempt {events.Key.Attempt} of audit {events.Key.AuditId} end in different ways: {string.Join(", ", said)}";
        }
    }

    static (int Count, IReadOnlyList<string> Words) Duplicates(Facts facts)
    {
        var permitted = facts.Tries.Where(one => one.Permitted != 0).GroupBy(one => one.CallKey).ToDictionary(tries => tries.Key, tries => tries.Count());
        var known = facts.Calls.Select(call => call.CallKey).ToHashSet(StringComparer.Ordinal);
        List<string> words = [];
        var count = 0;
        foreach (var (id, billed) in facts.Bill.BilledById)
        {
            var key = KeyOf(id);
            if (!known.Contains(key))
                words.Add($"P3: the provider was asked with key {id}, which the ledger does not know");
            var more = billed - 1 - permitted.GetValueOrDefault(key);
            if (more <= 0)
                continue;
            count += more;
            words.Add($"P3: call {id} was billed {billed} times with {permitted.GetValueOrDefault(key)} permissions");
        }

        return (count, words);
    }

    /// <summary>The call's key without the suffix of the one repetition of an unreadable answer.</summary>
    static string KeyOf(string id) => id.EndsWith(".2", StringComparison.Ordinal) ? id[..^2] : id;

    /// <summary>Tries in doubt beyond what the provider's faults and the lost gateways' wires account for.</summary>
    static (List<TryRow> Unexplained, int Late) Unexplained(Facts facts, List<TryRow> doubtful, ChaosSettings settings)
    {
        var byProvider = facts.ProviderCalls.Where(call => call.Fault is { } fault && DoubtfulFaults.Contains(fault)).Select(call => KeyOf(call.Id)).ToHashSet(StringComparer.Ordinal);
        var left = doubtful.Where(one => !byProvider.Contains(one.CallKey)).OrderBy(one => one.SentAt).ToList();
        foreach (var done in facts.Faults.Where(done => MayLeaveDoubt(done, settings)))
        {
            // On the wire: at most what the engines allow at once, sent no longer before the fault than a call may take.
            var wire = settings.Concurrency * ChaosSettings.PaidEngines.Count;
            // A broken link to the provider leaves every call of its duration in doubt that is written and not answered.
            if (done.Fault.Link is Server.Provider)
                wire = int.MaxValue;
            var from = done.BeganAt - settings.CallTimeout - TimeSpan.FromSeconds(2);
            var explained = left.Where(one => one.SentAt >= from && one.SentAt <= done.HealedAt + TimeSpan.FromSeconds(2)).Take(wire).ToHashSet();
            left.RemoveAll(explained.Contains);
        }

        // A half-open link leaves connections in the gateways' pools that look alive. The next request of each is written and lost, whenever it
        // comes: one doubt for each request that the link saw vanish, and the bytes leave within a second of the try's commit.
        var late = facts.LostRequests.Count(lost => left.FindLast(one => one.SentAt <= lost + Clocks && one.SentAt >= lost - BytesLeaveWithin - Clocks) is { } explained && left.Remove(explained));
        return (left, late);
    }

    /// <summary>LEDGER.md by kind of fault: saga, analyzer, dashboard and broker leave no doubt at all; the database none while it is away for less than a lease.</summary>
    static bool MayLeaveDoubt(DoneFault done, ChaosSettings settings) => done.Fault switch
    {
        { Kind: FaultKind.KillDatabase or FaultKind.DiskFull } => done.HealedAt - done.BeganAt >= settings.Lease,
        { Service: not "LlmGateway" } => false,
        { Kind: FaultKind.Kill or FaultKind.Freeze or FaultKind.Clock } => true,
        { Kind: FaultKind.Drop or FaultKind.HalfOpen or FaultKind.Reset, Link: Server.Database or Server.Provider } => true,
        _ => false,
    };

    /// <summary>Settled calls equal the bill to a micro-dollar each; the whole ledger is never below it; what is in doubt is bounded by its worst case.</summary>
    static (long Ledger, long Bill, IReadOnlyList<string> Words) Money(Facts facts)
    {
        List<string> words = [];
        var paid = facts.Tries.Where(one => ChaosSettings.PaidEngines.Contains(one.Engine)).ToList();
        var ledger = paid.Sum(one => one.Spent);
        var bill = (long)Math.Ceiling(facts.Bill.Usd * 1_000_000m - 0.001m);
        // An answer without usage settles at its worst case (docs/adr/0007), as one in doubt does.
        var settled = paid.Where(one => one.State is "Answered" or "Refused" or "Empty" && one.Reason != "UnreadableAnswer").ToList();
        var exact = settled.Sum(one => one.Spent);
        if (ledger < bill)
            words.Add($"P2: the provider billed {bill} µ$, the ledger knows of {ledger} µ$");
        if (exact > bill + settled.Count)
            words.Add($"P2: {settled.Count} settled calls cost {exact} µ$ in the ledger, the whole bill is {bill} µ$");
        if (settled.Count == paid.Count(one => one.Spent > 0) && Math.Abs(ledger - bill) > settled.Count)
            words.Add($"P2: without doubt ledger {ledger} µ$ and bill {bill} µ$ differ by more than 1 µ$ for each of {settled.Count} calls");
        return (ledger, bill, words);
    }

    static IEnumerable<ProviderCall> SentAfterHalt(Facts facts) => facts.Halts.SelectMany(halt => facts.ProviderCalls.Where(call =>
        call.At > halt.ReturnedAt + TimeSpan.FromSeconds(1) && call.At < (halt.ResumedAt ?? facts.At)
        // Bytes that had left before the halt and were held up by a broken network arrive late.
        && !facts.Faults.Any(done => done.Fault is { Link: Server.Provider } && done.HealedAt > halt.ReturnedAt - TimeSpan.FromSeconds(5) && done.BeganAt < call.At)));

    static IEnumerable<string> Contradictions(Facts facts, Dictionary<Guid, SagaRow> states)
    {
        var triesOfCall = facts.Tries.ToLookup(one => one.CallKey, StringComparer.Ordinal);
        var triesOfAudit = facts.Tries.ToLookup(one => one.AuditId);
        var stepsOf = facts.Transitions.ToLookup(step => step.AuditId);
        var budgetOf = facts.Budgets.ToDictionary(budget => budget.AuditId);
        var viewOf = facts.Views.ToDictionary(view => view.AuditId);
        var scopeOf = facts.Scopes.ToDictionary(scope => scope.Scope, StringComparer.Ordinal);
        foreach (var audit in facts.Audits)
        {
            var name = $"audit {audit.AuditId} ({audit.State}, attempt {audit.Attempt})";
            if ((audit.State == AuditStates.Completed) != (audit.CompletedAt is not null))
                yield return $"P5: {name} has completed_at {audit.CompletedAt}";
            if (audit.State == AuditStates.Completed && (!audit.HasScores || audit.ScoreId is null))
                yield return $"P5: {name} has no scores";
            if (audit.State is AuditStates.Failed or AuditStates.Rejected && string.IsNullOrEmpty(audit.Reason))
                yield return $"P5: {name} has no reason";
            if (IsEnded(audit.State) != (audit.EndedAt is not null))
                yield return $"P5: {name} has ended_at {audit.EndedAt}";
            if (IsEnded(audit.State) == audit.IsGuarded)
                yield return $"P6: {name} {(audit.IsGuarded ? "still holds" : "does not hold")} its place in live_audit";
            if (stepsOf[audit.AuditId].MaxBy(step => step.Sequence) is { } last && last.To != audit.State)
                yield return $"P5: {name}: its last transition led to {last.To}";
            if (audit.State == AuditStates.Completed && audit.ScoreId is { } score && !facts.ScoresKept.Contains(score))
                yield return $"P5: {name}: the Analyzer does not have its score {score}";
        }

        foreach (var call in facts.Calls)
        {
            var tries = triesOfCall[call.CallKey];
            if (call.State == "Answered" && !call.HasText)
                yield return $"P5: call {call.CallKey} is answered without an answer";
            if (call.Spent != tries.Sum(one => one.Spent))
                yield return $"P2: call {call.CallKey} has spent {call.Spent} µ$, its tries {tries.Sum(one => one.Spent)} µ$";
            if (states.TryGetValue(call.AuditId, out var audit) && IsEnded(audit.State) && call.State is "Planned" or "Sending")
                yield return $"P8: call {call.CallKey} of an ended audit is still {call.State}";
        }

        foreach (var audit in facts.Audits.Where(audit => IsEnded(audit.State)))
        {
            var budget = budgetOf.GetValueOrDefault(audit.AuditId);
            if (budget is { State: "Open" or "Waiting" } || budget is { Allocated: not 0 } or { Reserved: not 0 })
                yield return $"P2: audit {audit.AuditId} has ended ({audit.State}), its budget is {budget.State} with {budget.Allocated} µ$ allocated and {budget.Reserved} µ$ reserved";
            var view = viewOf.GetValueOrDefault(audit.AuditId);
            if (view is null || view.Status != audit.State || view.Attempt != audit.Attempt && audit.State != AuditStates.Rejected)
                yield return $"P8: audit {audit.AuditId} is {audit.State} in attempt {audit.Attempt}, the Dashboard shows {(view is null ? "nothing" : $"{view.Status} in attempt {view.Attempt}")}";
            else if (audit.State == AuditStates.Completed && (view.ReportAttempt != audit.Attempt || view.ScoreId != audit.ScoreId))
                yield return $"P5: audit {audit.AuditId} is Completed in attempt {audit.Attempt} with score {audit.ScoreId}, the Dashboard's report is of attempt {view.ReportAttempt} with score {view.ScoreId}";
            var spent = triesOfAudit[audit.AuditId].Sum(one => Math.Min(one.Spent, one.Reserved));
            if (view is not null && budget is not null && budget.State != "Refused" && (!view.BudgetFinal || view.Spent != spent))
                yield return $"P8: audit {audit.AuditId} has spent {spent} µ$, the Dashboard shows {view.Spent} µ${(view.BudgetFinal ? "" : ", not final")}";
            if (scopeOf.GetValueOrDefault($"audit:{audit.AuditId:D}") is { } scope && (scope.Reserved != 0 || scope.Spent != spent))
                yield return string.Create(CultureInfo.InvariantCulture, $"P2: {scope.Scope} has {scope.Reserved} µ$ reserved and {scope.Spent} µ$ spent, its tries cost {spent} µ$");
        }

        if (facts.Audits.All(audit => IsEnded(audit.State)) && facts.Scopes.Where(scope => scope.Scope.StartsWith("day:", StringComparison.Ordinal)).FirstOrDefault(scope => scope.Reserved != 0) is { } day)
            yield return $"P2: every audit has ended, and {day.Scope} has {day.Reserved} µ$ reserved";
    }
}
