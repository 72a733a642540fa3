using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;

namespace Assay.Dashboard.Projections;

/// <summary>
/// What each message changes in an audit's row. Pure: any order and any number of deliveries end in the same row (tested over permutations).
/// </summary>
static class AuditProjection
{
    public static void Apply(this AuditRow row, AuditRegistered message)
    {
        Saw(row, message.Attempt);
        if (message.Attempt < row.RequestAttempt || (message.Attempt == row.RequestAttempt && message.RegisteredAt < row.RegisteredAt))
            return;
        if (row.RegisteredAt is null)
            row.CreatedAt = message.RegisteredAt;
        row.RequestAttempt = message.Attempt;
        row.RegisteredAt = message.RegisteredAt;
        row.DeadlineAt = message.DeadlineAt;
        row.TrackingId = message.TrackingId;
        row.AncestryJson = JsonSerializer.Serialize(message.Ancestry, AssayJson.Options);
        row.Depth = message.Depth;
        row.CeilingMicroUsd = message.CeilingMicroUsd;
        row.Take(message.Request);
        // A refused id that was sent again, corrected, is alive again.
        if (row.Status == AuditStates.Rejected && row.RejectedAt < message.RegisteredAt)
            row.Status = AuditStates.Admitting;
        if (row.Status == ReadStates.Requested)
            row.Status = AuditStates.Admitting;
    }

    /// <summary>What a list shows of a request; also used when this Dashboard sends one, before the saga has seen it.</summary>
    public static void Take(this AuditRow row, RequestAudit request)
    {
        row.RequestJson = JsonSerializer.Serialize(request, AssayJson.Options);
        row.Brand = request.Brand.Name;
        row.Kind = request.Kind;
        row.ParentAuditId = request.ParentAuditId;
        row.RequestedBy = request.RequestedBy;
        row.SearchText = string.Join(' ', new[] { request.Brand.Name, request.Brand.Domain, request.Kind, request.RequestedBy, row.AuditId.ToString() }
            .Where(part => !string.IsNullOrWhiteSpace(part))).ToLowerInvariant();
    }

    public static void Apply(this AuditRow row, AuditAccepted message)
    {
        row.Decisions++;
        Saw(row, message.Attempt);
        if (message.Attempt < row.AcceptedAttempt)
            return;
        row.AcceptedAttempt = message.Attempt;
        row.AcceptedAt = message.AcceptedAt;
        // All that was reserved for; progress counts the panel's calls only and knows better, whenever it came.
        if (row.ProgressAttempt == 0)
            row.PlannedCalls = message.PlannedCalls;
        row.WorstCaseMicroUsd = MicroUsd.FromUsd(message.WorstCaseUsd);
        row.DeadlineAt = message.DeadlineAt;
        row.TrackingId ??= message.TrackingId;
        if (row.CeilingMicroUsd == 0)
            row.CeilingMicroUsd = MicroUsd.FromUsd(message.CeilingUsd);
        // A new request or a retry: alive from here on, whatever the last attempt ended with.
        if (message.Attempt > row.EndedAttempt && (!row.IsLive || row.Status == ReadStates.Requested))
            Enter(row, message.Attempt, AuditStates.Admitting);
    }

    public static void Apply(this AuditRow row, AuditRejected message)
    {
        row.Decisions++;
        if (message.RejectedAt >= (row.RejectedAt ?? DateTime.MinValue))
        {
            row.RejectedAt = message.RejectedAt;
            row.RejectionReason = message.Reason;
            row.RejectionDetail = message.Detail;
            row.RejectionExistingAuditId = message.ExistingAuditId;
        }

        // These refuse a command about an audit that has a life of its own.
        if (message.Reason is RejectionReasons.AuditIdReused or RejectionReasons.NotRetryable or RejectionReasons.AttemptsExhausted or RejectionReasons.EngineChanged
            && row.RegisteredAt is not null)
            return;
        var sentAgainSince = row.RegisteredAt > message.RejectedAt;
        if (HasNoAttempt(row) && !sentAgainSince
            && row.Status is ReadStates.Requested or AuditStates.Admitting or AuditStates.Rejected)
            row.Status = AuditStates.Rejected;
    }

    public static void Apply(this AuditRow row, AuditTransitioned message)
    {
        Saw(row, message.Attempt);
        if (message.Sequence <= row.StateSequence)
            return;
        row.StateSequence = message.Sequence;
        row.LastProgressAt = Later(row.LastProgressAt, message.At);
        row.Worker = message.Worker;
        if (message is { CompletedCalls: { } completed, PlannedCalls: { } planned } && message.Attempt >= row.ProgressAttempt)
        {
            // The last of the attempt's progress.
            row.ProgressAttempt = message.Attempt;
            row.ProgressAt = Later(row.ProgressAt, message.At);
            row.CompletedCalls = completed;
            row.PlannedCalls = planned;
        }

        // A refusal ends no attempt, by whose number a step before it would be known as late: one that came after it has brought the row to life again.
        if (message.To == AuditStates.Rejected && row.RejectedAt is not null && HasNoAttempt(row))
            row.Status = AuditStates.Rejected;
        // Ends are told by their own events, with reason and time; a transition alone would be an ended audit without them.
        if (!ReadStates.IsLive(message.To) || message.Attempt <= row.EndedAttempt)
            return;
        Enter(row, message.Attempt, message.To);
    }

    public static void Apply(this AuditRow row, AuditProgressed message)
    {
        Saw(row, message.Attempt);
        var at = message.LastHeartbeatAt > message.LastProgressAt ? message.LastHeartbeatAt.Value : message.LastProgressAt;
        if (message.Attempt < row.ProgressAttempt || (message.Attempt == row.ProgressAttempt && at < row.ProgressAt))
            return;
        row.ProgressAttempt = message.Attempt;
        row.ProgressAt = at;
        row.CompletedCalls = message.CompletedCalls;
        row.Fraction = message.Fraction;
        row.LastProgressAt = Later(row.LastProgressAt, message.LastProgressAt);
        row.LastHeartbeatAt = Later(row.LastHeartbeatAt, message.LastHeartbeatAt);
        row.Worker = message.Worker;
        if (message.PlannedCalls > 0)
            row.PlannedCalls = message.PlannedCalls;
        Spent(row, message.Attempt, MicroUsd.FromUsd(message.SpentUsd));
        if (message.Attempt <= row.EndedAttempt)
            return;
        // A refused audit lives again by its registration or its transition, not by a sign from before.
        if (row.Status == AuditStates.Rejected)
            return;
        row.WaitingFor = message.WaitingFor;
        if (ReadStates.OrderOf(message.Phase) > ReadStates.OrderOf(row.Status))
            Enter(row, message.Attempt, message.Phase);
    }

    public static void Apply(this AuditRow row, BatchAlive message)
    {
        Saw(row, message.Attempt);
        row.LastHeartbeatAt = Later(row.LastHeartbeatAt, message.At);
        Spent(row, message.Attempt, message.SpentMicroUsd);
        if (message.Attempt <= row.EndedAttempt || message.At < row.ProgressAt)
            return;
        row.WaitingFor = message.WaitingFor;
        row.WaitingUntil = message.Until;
        row.Worker = message.Worker;
    }

    public static void Apply(this AuditRow row, BudgetReported message)
    {
        Saw(row, message.Attempt);
        if (message.Version <= row.BudgetVersion)
            return;
        row.BudgetVersion = message.Version;
        row.CeilingMicroUsd = message.CeilingMicroUsd;
        row.ReservedMicroUsd = message.ReservedMicroUsd;
        row.SpentMicroUsd = message.SpentMicroUsd;
        row.InDoubtMicroUsd = message.InDoubtMicroUsd;
        row.OverrunMicroUsd = message.OverrunMicroUsd;
        row.Calls = message.Calls;
        row.PaidTries = message.PaidTries;
        row.InDoubt = message.InDoubt;
        row.Reused = message.Reused;
        row.BudgetFinal = message.Final;
    }

    /// <summary>Counts for less than any report of the ledger's own.</summary>
    public static void Apply(this AuditRow row, MoneyTold message)
    {
        if (row.BudgetVersion > 0)
            return;
        row.BudgetVersion = 1;
        row.CeilingMicroUsd = message.Scope.CeilingMicroUsd;
        row.ReservedMicroUsd = message.Scope.ReservedMicroUsd;
        row.SpentMicroUsd = message.Scope.SpentMicroUsd;
        row.OverrunMicroUsd = message.Scope.OverrunMicroUsd;
        row.InDoubtMicroUsd = message.InDoubtMicroUsd;
        row.InDoubt = message.InDoubt;
        row.Calls = message.Calls;
        row.PaidTries = message.PaidTries;
        row.Reused = message.Reused;
        row.BudgetFinal = message.Scope.ReservedMicroUsd == 0;
    }

    public static void Apply(this AuditRow row, AuditScored message)
    {
        Saw(row, message.Attempt);
        if (message.Attempt < row.ScoreAttempt)
            return;
        row.ScoreAttempt = message.Attempt;
        row.ScoreId = message.ScoreId;
        row.MetricsVersion = message.MetricsVersion;
        row.Simulated |= message.Simulated;
        row.CoverageJson = JsonSerializer.Serialize(message.Coverage, AssayJson.Options);
        TakeScores(row, message.Scores);
    }

    public static void Apply(this AuditRow row, AnswersDescribed message)
    {
        Saw(row, message.Attempt);
        row.Simulated |= message.Simulated;
    }

    public static void Apply(this AuditRow row, AuditCompleted message)
    {
        row.Decisions++;
        row.Simulated |= message.Simulated;
        if (!End(row, message.Attempt, AuditStates.Completed, message.CompletedAt, message.SpentUsd))
            return;
        row.FailureReason = row.FailureDetail = null;
        row.EndedPhase = AuditStates.Publishing;
        row.Fraction = 1;
        row.Brand ??= message.Brand;
        row.MetricsVersion = message.MetricsVersion;
        TakeScores(row, message.Scores);
    }

    public static void Apply(this AuditRow row, AuditFailed message)
    {
        row.Decisions++;
        if (!End(row, message.Attempt, AuditStates.Failed, message.FailedAt, message.SpentUsd))
            return;
        row.FailureReason = message.Reason;
        row.FailureDetail = message.Detail;
        row.EndedPhase = message.Phase;
    }

    public static void Apply(this AuditRow row, AuditCancelled message)
    {
        row.Decisions++;
        if (!End(row, message.Attempt, AuditStates.Cancelled, message.CancelledAt, message.SpentUsd))
            return;
        row.FailureReason = "Cancelled";
        row.FailureDetail = message.Reason;
        row.EndedPhase = message.Phase;
    }

    /// <summary>Begins the row anew with what the saga says of an ended audit; what only pieces tell stays.</summary>
    public static void Restore(this AuditRow row, RepairReadModel message)
    {
        row.Attempt = row.RequestAttempt = row.AcceptedAttempt = row.EndedAttempt = row.StateSequence = 0;
        row.Status = ReadStates.Requested;
        row.Phase = row.FailureReason = row.FailureDetail = row.EndedPhase = row.WaitingFor = null;
        row.RejectionReason = row.RejectionDetail = null;
        row.RejectionExistingAuditId = null;
        row.EndedAt = row.RejectedAt = row.WaitingUntil = null;
        if (message.Registered is { } registered)
            row.Apply(registered);
        if (message.Accepted is { } accepted)
            row.Apply(accepted);
        foreach (var step in message.Transitions)
            row.Apply(step);
        if (message.Completed is { } completed)
            row.Apply(completed);
        if (message.Failed is { } failed)
            row.Apply(failed);
        if (message.Cancelled is { } cancelled)
            row.Apply(cancelled);
        if (message.Rejected is { } rejected)
            row.Apply(rejected);
        if (message.SpentMicroUsd is { } spent)
            row.SpentMicroUsd = spent;
    }

    static bool End(AuditRow row, int attempt, string status, DateTime at, decimal spentUsd)
    {
        Saw(row, attempt);
        if (attempt <= row.EndedAttempt)
            return false;
        Spent(row, attempt, MicroUsd.FromUsd(spentUsd));
        row.EndedAttempt = attempt;
        // A newer attempt may be alive already: its end of the past changes nothing on the face of it.
        if (row.Attempt > attempt)
            return false;
        row.Status = status;
        row.Phase = null;
        row.EndedAt = at;
        row.WaitingFor = null;
        row.WaitingUntil = null;
        return true;
    }

    static void Enter(AuditRow row, int attempt, string state)
    {
        // What an earlier attempt ended with is history once a later one lives.
        if (attempt < row.Attempt)
            return;
        if (!row.IsLive)
        {
            row.FailureReason = row.FailureDetail = row.EndedPhase = null;
            row.EndedAt = null;
        }

        row.Status = state;
        row.Phase = state;
        row.WaitingFor = null;
        row.WaitingUntil = null;
    }

    /// <summary>Money that is spent only grows, until the ledger has its last word about the attempt; a retry's money grows on from there.</summary>
    static void Spent(AuditRow row, int attempt, long microUsd)
    {
        if (!row.BudgetFinal || (row.EndedAttempt > 0 && attempt > row.EndedAttempt))
            row.SpentMicroUsd = Math.Max(row.SpentMicroUsd, microUsd);
    }

    static void TakeScores(AuditRow row, IReadOnlyDictionary<string, ScoreValue> scores)
    {
        row.ScoresJson = JsonSerializer.Serialize(scores, AssayJson.Options);
        var visibility = scores.GetValueOrDefault("visibility");
        row.Visibility = visibility?.Value;
        row.VisibilityLow = visibility?.Low;
        row.VisibilityHigh = visibility?.High;
        row.Overall = scores.GetValueOrDefault("overall")?.Value;
    }

    /// <summary>Neither accepted nor ended: all there is of it is a request, which may be refused.</summary>
    static bool HasNoAttempt(AuditRow row) => row.AcceptedAttempt == 0 && row.EndedAttempt == 0;

    static void Saw(AuditRow row, int attempt) => row.Attempt = Math.Max(row.Attempt, attempt);

    static DateTime? Later(DateTime? a, DateTime? b) => a is null || b > a ? b ?? a : a;
}
