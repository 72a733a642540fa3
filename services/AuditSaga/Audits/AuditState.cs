using System.Globalization;
using Assay.AuditSaga.Admission;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.AuditSaga.Audits;

/// <summary>
/// One audit's life: the row of table <c>audit</c>. Ids, numbers and times only; what was asked and planned lies in side tables, what
/// was answered is the Analyzer's. Its members are the decisions; they take the time as a value and touch nothing else.
/// </summary>
public sealed class AuditState : SagaStateMachineInstance, ISagaVersion
{
    public const int InsightLayers = 3;

    public Guid CorrelationId { get; set; }
    public int Version { get; set; }
    public string CurrentState { get; set; } = null!;
    public int Attempt { get; set; }

    /// <summary>Attempts that were refused before anything could be spent; they do not count against the limit.</summary>
    public int UncountedAttempts { get; set; }

    public string Kind { get; set; } = "";
    public string BrandKey { get; set; } = "";
    public string BrandName { get; set; } = "";
    public string RequestHash { get; set; } = "";
    public string PanelHash { get; set; } = "";

    /// <summary>Known once engines are pinned.</summary>
    public string? ContentHash { get; set; }

    public Guid TrackingId { get; set; }
    public Guid? ParentAuditId { get; set; }
    public int Depth { get; set; }

    /// <summary>From the root to the parent.</summary>
    public IReadOnlyList<Ancestor> Ancestry { get; set; } = [];

    public bool CountedInTree { get; set; }

    public long CeilingMicroUsd { get; set; }
    public double DeadlineMinutes { get; set; }
    public double MinCoverage { get; set; }
    public bool Force { get; set; }
    public bool AuditCompetitors { get; set; }

    /// <summary>The request's own policy permits one further paid try of a call in doubt.</summary>
    public bool InDoubtPolicyAsksAgain { get; set; }

    /// <summary>The person who retried permits it, for this attempt.</summary>
    public bool AskInDoubtAgain { get; set; }

    public DateTime RegisteredAt { get; set; }
    public DateTime StartedAt { get; set; }
    public DateTime? AcceptedAt { get; set; }
    public DateTime DeadlineAt { get; set; }

    public DateTime PhaseStartedAt { get; set; }
    public DateTime LastProgressAt { get; set; }
    public DateTime? LastHeartbeatAt { get; set; }
    public DateTime? ProgressPublishedAt { get; set; }
    public string? WaitingFor { get; set; }

    /// <summary>The gateway's process that last gave a sign of life in this attempt; empty until one does.</summary>
    public string Worker { get; set; } = "";
    public int TransitionSequence { get; set; }

    /// <summary>Whether the gateway was asked for a budget in this attempt: then the number of the attempt is used up there.</summary>
    public bool BudgetAsked { get; set; }

    public int PlannedCalls { get; set; }
    public long WorstCaseMicroUsd { get; set; }
    public bool AdvisorAvailable { get; set; }
    public bool Simulated { get; set; }
    public long LedgerSequence { get; set; }

    public Guid? PlanId { get; set; }
    public int PanelCalls { get; set; }

    /// <summary>Every batch of the asking whose answers count.</summary>
    public IReadOnlyList<Guid> BatchIds { get; set; } = [];

    /// <summary>Batches not yet analyzed, with the calls decided in them so far.</summary>
    public IReadOnlyDictionary<Guid, int> OpenBatches { get; set; } = new Dictionary<Guid, int>();

    public CoverageCounts? Coverage { get; set; }

    /// <summary>All batches are analyzed and the coverage suffices.</summary>
    public bool AnswersComplete { get; set; }

    /// <summary>Calls decided in batches of others (planning, insights) during this phase.</summary>
    public int AdvisorDecided { get; set; }

    public Guid? ScoreId { get; set; }
    public string? MetricsVersion { get; set; }
    public IReadOnlyDictionary<string, ScoreValue>? Scores { get; set; }
    public int DraftedLayers { get; set; }

    /// <summary>What finished pieces of work said they cost, over all attempts.</summary>
    public long SettledMicroUsd { get; set; }

    /// <summary>What the ledger last said was spent, over all attempts.</summary>
    public long ReportedMicroUsd { get; set; }

    public long ReportVersion { get; set; }

    public DateTime? CompletedAt { get; set; }
    public DateTime? EndedAt { get; set; }

    /// <summary>Why it Failed or was Rejected.</summary>
    public string? FailureReason { get; set; }

    /// <summary>The same for a reader; for a Cancelled audit the reason given.</summary>
    public string? FailureDetail { get; set; }

    /// <summary>The audit a Rejected one was refused for.</summary>
    public Guid? ExistingAuditId { get; set; }

    public string? EndedPhase { get; set; }

    /// <summary>One of <see cref="Enders"/>.</summary>
    public string? EndedBy { get; set; }

    /// <summary>When this audit's answers were erased, because somebody deleted it; there is no result any more, and no retry. UTC.</summary>
    public DateTime? ErasedAt { get; set; }

    public Guid? StallTokenId { get; set; }
    public Guid? DeadlineTokenId { get; set; }

    public bool IsLive => AuditPhases.IsLive(CurrentState);
    public bool IsSettled => OpenBatches.Count == 0;
    public bool IsPlanned => PlanId is not null;
    public bool IsScored => ScoreId is not null;
    public bool IsAdvised => DraftedLayers >= InsightLayers;
    public bool MayAskInDoubtAgain => AskInDoubtAgain || InDoubtPolicyAsksAgain;
    public bool IsRetry => ContentHash is not null || CountedAttempts > 1;
    public int CountedAttempts => Attempt - UncountedAttempts;

    /// <summary>The calls that progress is measured by: the panel's, until there is a plan all that were reserved for.</summary>
    public int ShownCalls => PanelCalls > 0 ? PanelCalls : PlannedCalls;

    public int CompletedCalls => (Coverage?.Planned ?? 0) + OpenBatches.Values.Sum();
    public long SpentMicroUsd => Math.Max(SettledMicroUsd, ReportedMicroUsd);
    public DateTime LastSignOfLifeAt => LastHeartbeatAt is { } heartbeat && heartbeat > LastProgressAt ? heartbeat : LastProgressAt;

    /// <summary>The first phase whose output is missing: where an attempt starts after its budget was opened.</summary>
    public string FirstMissingPhase =>
        !IsPlanned ? AuditStates.Planning
        : !AnswersComplete ? AuditStates.Asking
        : !IsScored ? AuditStates.Scoring
        : !IsAdvised ? AuditStates.Advising
        : AuditStates.Publishing;

    /// <summary>Share of the whole audit that is done, 0–1: asking is most of it.</summary>
    public double Fraction => CurrentState switch
    {
        AuditStates.Planning => 0.02,
        AuditStates.Asking => 0.05 + 0.80 * Math.Min(1, PanelCalls == 0 ? 0 : (double)CompletedCalls / PanelCalls),
        AuditStates.Scoring => 0.86,
        AuditStates.Advising => 0.88 + 0.03 * DraftedLayers,
        AuditStates.Publishing => 0.98,
        AuditStates.Completed => 1,
        _ => 0,
    };

    public bool IsOverdue(DateTime now) => now >= DeadlineAt;

    public DateTime StallsAt(TimeSpan stallTimeout) => LastSignOfLifeAt + stallTimeout;

    public bool IsStalled(DateTime now, TimeSpan stallTimeout) => now >= StallsAt(stallTimeout);

    /// <summary>Starts the clock of an attempt; nothing is known of its outcome yet.</summary>
    public void StartAttempt(int attempt, DateTime now)
    {
        Attempt = attempt;
        StartedAt = PhaseStartedAt = LastProgressAt = now;
        DeadlineAt = now + TimeSpan.FromMinutes(DeadlineMinutes);
        LastHeartbeatAt = ProgressPublishedAt = AcceptedAt = null;
        CompletedAt = EndedAt = null;
        FailureReason = FailureDetail = EndedPhase = EndedBy = WaitingFor = null;
        ExistingAuditId = null;
        AskInDoubtAgain = BudgetAsked = false;
        Worker = "";
    }

    /// <summary>Starts the next attempt by a person's or producer's wish. What earlier attempts achieved stays.</summary>
    /// <returns>By how much the ceiling was raised.</returns>
    public long StartRetry(RetryAudit retry, DateTime now)
    {
        StartAttempt(Attempt + 1, now);
        AskInDoubtAgain = retry.AskInDoubtAgain;
        if (AskInDoubtAgain && Coverage is { InDoubt: > 0 })
            AnswersComplete = false;
        var ceiling = retry.CeilingUsd is { } usd ? MicroUsd.FromUsd(usd) : CeilingMicroUsd;
        var raisedBy = ceiling - CeilingMicroUsd;
        CeilingMicroUsd = ceiling;
        return raisedBy;
    }

    /// <summary>Notes why the request will be rejected.</summary>
    public void Refuse(Refusal refusal)
    {
        FailureReason = refusal.Reason;
        FailureDetail = refusal.Detail;
        ExistingAuditId = refusal.ExistingAuditId;
    }

    public void Reject(DateTime now) => End(Enders.Admission, now);

    public void Accept(BudgetOpened opened, string contentHash, DateTime now)
    {
        AcceptedAt = now;
        PlannedCalls = opened.PlannedCalls;
        WorstCaseMicroUsd = opened.WorstCaseMicroUsd;
        LedgerSequence = Math.Max(LedgerSequence, opened.LedgerSequence);
        AdvisorAvailable = opened.Pins.Any(pin => pin.Engine == Engines.Advisor);
        Simulated = opened.Pins.Any(pin => pin.Simulated && pin.Engine != Engines.Advisor);
        ContentHash = contentHash;
        Progressed(now);
    }

    public void KeepPlan(QueriesPlanned planned, int calls, DateTime now)
    {
        PlanId = planned.PlanId;
        PanelCalls = calls;
        SettledMicroUsd += planned.SpentMicroUsd;
        Progressed(now);
    }

    /// <summary>Opens the asking anew: answers of an earlier asking come back from the ledger, free.</summary>
    public void OpenAsking(IEnumerable<Guid> batchIds, DateTime now)
    {
        BatchIds = [.. batchIds];
        OpenBatches = BatchIds.ToDictionary(id => id, _ => 0);
        Coverage = null;
        AnswersComplete = false;
        ScoreId = null;
        MetricsVersion = null;
        Scores = null;
        DraftedLayers = 0;
        Progressed(now);
    }

    /// <summary>Takes a batch out of the open ones.</summary>
    /// <returns>False if it was not open: a duplicate, which changes nothing.</returns>
    public bool CloseBatch(AnswersAnalyzed analyzed, DateTime now)
    {
        if (!OpenBatches.ContainsKey(analyzed.BatchId))
            return false;
        OpenBatches = OpenBatches.Where(batch => batch.Key != analyzed.BatchId).ToDictionary();
        Coverage = Coverage is null ? analyzed.Coverage : Coverage.Plus(analyzed.Coverage);
        SettledMicroUsd += analyzed.SpentMicroUsd;
        Progressed(now);
        return true;
    }

    /// <summary>Whether the audit cannot go on without this batch: one of its own that is open, or one the Analyzer asks for in this phase.</summary>
    public bool WaitsFor(string purpose, Guid batchId) => CurrentState switch
    {
        AuditStates.Planning => purpose == Purposes.Plan,
        AuditStates.Asking => OpenBatches.ContainsKey(batchId),
        AuditStates.Advising => purpose is Purposes.Insight or Purposes.Judge,
        _ => false,
    };

    /// <summary>Why the answers do not suffice, with the numbers; null if they do.</summary>
    public string? CoverageShortfall()
    {
        var coverage = Coverage ?? CoverageMath.None;
        var planned = Math.Max(PanelCalls, coverage.Planned);
        var share = planned == 0 ? 0 : (double)coverage.Valid / planned;
        if (coverage.Valid > 0 && share >= MinCoverage)
            return null;
        var gaps = Gaps(coverage, planned);
        var reasons = coverage.Reasons.Count == 0
            ? ""
            : $" By reason: {string.Join(", ", coverage.Reasons.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal).Select(r => $"{r.Key} {r.Value}"))}.";
        var inDoubt = coverage.InDoubt == 0 ? "" : "; calls in doubt are asked again, and perhaps paid again, only with askInDoubtAgain";
        return string.Create(CultureInfo.InvariantCulture,
            $"{coverage.Valid} of {planned} planned calls are valid answers ({share:P1}); this audit asks for {MinCoverage:P0}. Gaps: {gaps}.{reasons} A retry pays only for what is missing{inDoubt}; minCoverage or other engines need a new request.");
    }

    static string Gaps(CoverageCounts coverage, int planned)
    {
        (string Name, int Count)[] gaps =
        [
            ("declined", coverage.Declined), ("refused", coverage.Refused), ("empty", coverage.Empty), ("in doubt", coverage.InDoubt),
            ("without an outcome", planned - coverage.Planned),
        ];
        var shown = string.Join(", ", gaps.Where(gap => gap.Count > 0).Select(gap => $"{gap.Count} {gap.Name}"));
        return shown.Length == 0 ? "none" : shown;
    }

    public void KeepScores(AuditScored scored, DateTime now)
    {
        ScoreId = scored.ScoreId;
        MetricsVersion = scored.MetricsVersion;
        Scores = scored.Scores;
        Simulated |= scored.Simulated;
        Progressed(now);
    }

    /// <summary>Counts a layer of insights.</summary>
    /// <returns>False if it is not the one that is waited for: a duplicate, which changes nothing.</returns>
    public bool KeepLayer(InsightsDrafted drafted, DateTime now)
    {
        if (drafted.Layer != DraftedLayers + 1)
            return false;
        DraftedLayers = drafted.Layer;
        SettledMicroUsd += drafted.SpentMicroUsd;
        Progressed(now);
        return true;
    }

    /// <summary>
    /// Notes a sign of life. A batch that waits for a limit, a breaker, a halt or money is alive, and so is one in which calls were
    /// decided; a call that merely hangs is not.
    /// </summary>
    public void NoteLife(BatchAlive alive, DateTime now)
    {
        Worker = alive.Worker;
        WaitingFor = alive.WaitingFor;
        ReportedMicroUsd = Math.Max(ReportedMicroUsd, alive.SpentMicroUsd);
        if (alive.WaitingFor is not null)
            LastHeartbeatAt = now;

        if (CurrentState == AuditStates.Asking)
        {
            if (alive.BatchId is not { } batch || !OpenBatches.TryGetValue(batch, out var known) || alive.DecidedCalls <= known)
                return;
            OpenBatches = OpenBatches.ToDictionary(b => b.Key, b => b.Key == batch ? alive.DecidedCalls : b.Value);
            LastProgressAt = now;
        }
        else if (alive.DecidedCalls > AdvisorDecided)
        {
            AdvisorDecided = alive.DecidedCalls;
            LastProgressAt = now;
        }
    }

    /// <summary>Keeps what the ledger says was spent; an older report changes nothing.</summary>
    public void NoteSpending(BudgetReported report)
    {
        if (report.Version <= ReportVersion)
            return;
        ReportVersion = report.Version;
        ReportedMicroUsd = report.SpentMicroUsd;
        // The ledger's sum is the truth; what batches reported may hold calls in doubt that have settled lower since.
        if (report.Final)
            SettledMicroUsd = report.SpentMicroUsd;
    }

    /// <summary>Whether progress may be published again; if so, notes that it is.</summary>
    public bool TakeProgressTurn(DateTime now, TimeSpan interval)
    {
        if (ProgressPublishedAt is { } last && now - last < interval)
            return false;
        ProgressPublishedAt = now;
        return true;
    }

    public void Complete(DateTime now)
    {
        CompletedAt = EndedAt = now;
        EndedPhase = CurrentState;
        EndedBy = Enders.Completion;
        WaitingFor = null;
    }

    public void Fail(string reason, string detail, string endedBy, DateTime now)
    {
        FailureReason = reason;
        FailureDetail = detail;
        End(endedBy, now);
    }

    public void Cancel(CancelAudit cancel, DateTime now) =>
        Cancel(string.IsNullOrWhiteSpace(cancel.RequestedBy) ? cancel.Reason : $"{cancel.Reason} (asked by {cancel.RequestedBy})", now);

    public void Cancel(string? why, DateTime now)
    {
        FailureDetail = why;
        End(Enders.Person, now);
    }

    void End(string endedBy, DateTime now)
    {
        EndedAt = now;
        EndedPhase = CurrentState;
        EndedBy = endedBy;
        WaitingFor = null;
    }

    /// <summary>Something was achieved: the stall clock starts anew.</summary>
    void Progressed(DateTime now)
    {
        LastProgressAt = now;
        WaitingFor = null;
        AdvisorDecided = 0;
    }

    /// <summary>What the deadline says to a reader.</summary>
    public string DeadlineDetail(DateTime now) => string.Create(CultureInfo.InvariantCulture,
        $"Attempt {Attempt} of audit {CorrelationId} reached its deadline {DeadlineAt:yyyy-MM-dd HH:mm:ss}Z in phase {CurrentState} with {CompletedCalls} of {PanelCalls} panel calls decided (now {now:HH:mm:ss}Z). What was answered is kept; retry it, with a longer deadlineMinutes in a new request if it needs one.");

    /// <summary>What the stall says to a reader.</summary>
    public string StallDetail(TimeSpan stallTimeout) => string.Create(CultureInfo.InvariantCulture,
        $"Attempt {Attempt} of audit {CorrelationId} saw neither progress nor a sign of life in phase {CurrentState} for {stallTimeout} (last sign {LastSignOfLifeAt:yyyy-MM-dd HH:mm:ss}Z). It waited for the {WaitedForService}; look at {(WaitedForService == Gateway && Worker.Length > 0 ? $"its process {Worker}, which reported last," : "its processes")} and at the broker, then retry. What was answered is kept.");

    const string Gateway = "LlmGateway";

    /// <summary>The service whose message takes the audit out of its phase.</summary>
    string WaitedForService => CurrentState switch
    {
        AuditStates.Admitting or AuditStates.Asking => Gateway,
        AuditStates.Publishing => "Dashboard",
        _ => "Analyzer",
    };
}

/// <summary>Who ended an audit.</summary>
public static class Enders
{
    public const string Completion = "completion";
    public const string Admission = "admission";
    public const string Coverage = "coverage";
    public const string Timeout = "timeout";
    public const string Watch = "watch";
    public const string Fault = "fault";
    public const string Gateway = "gateway";
    public const string Person = "operator";
    public const string HostRestart = "host restart";
}

/// <summary>Engine names with a meaning of their own.</summary>
public static class Engines
{
    /// <summary>Serves planning, judging and insights.</summary>
    public const string Advisor = "advisor";
}

/// <summary>The states of life and death.</summary>
public static class AuditPhases
{
    public static readonly IReadOnlyList<string> Live =
        [AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing];

    public static readonly IReadOnlyList<string> Terminal = [AuditStates.Completed, AuditStates.Failed, AuditStates.Cancelled, AuditStates.Rejected];

    public static bool IsLive(string state) => Live.Contains(state, StringComparer.Ordinal);
}
