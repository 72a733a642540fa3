using System.Globalization;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Integrity;

/// <summary>What the saga holds of an ended audit, as far as others must agree with it.</summary>
sealed record SagaFact(
    Guid AuditId, int Attempt, string State, string? FailureReason, bool Accepted, bool Registered, long SpentMicroUsd, Guid? ScoreId, IReadOnlyList<Guid> BatchIds, DateTime? EndedAt)
{
    /// <summary>A row that was ended by the emergency statement cannot be read whole, so nothing can be told of it anew.</summary>
    public bool CanBeTold => FailureReason != FailureReasons.EmergencyRecovery;
}

/// <summary>What one service answered; an answer without the audit means that it does not hold it.</summary>
sealed record Answered<T>(IReadOnlyDictionary<Guid, T> Audits) where T : class
{
    public T? Of(Guid auditId) => Audits.GetValueOrDefault(auditId);
}

/// <summary>On what the services disagree about an audit. A service that did not answer is null and is compared with nothing.</summary>
static class IntegrityRules
{
    /// <summary>Only what has ended, and not just now, can be compared: until then messages are on the way.</summary>
    public static bool IsSettled(SagaFact saga, DateTime now, TimeSpan settle) => saga.EndedAt is { } ended && ended <= now - settle;

    public static IEnumerable<IntegrityDifference> Compare(SagaFact saga, Answered<LedgerFact>? ledgers, Answered<AnalysisFact>? analyses, Answered<ReadModelFact>? shownAudits)
    {
        var ledger = ledgers?.Of(saga.AuditId);
        var analysis = analyses?.Of(saga.AuditId);
        var shown = shownAudits?.Of(saga.AuditId);
        IntegrityDifference Differs(string kind, string detail, bool repaired = false) => new() { AuditId = saga.AuditId, Kind = kind, Detail = detail, Repaired = repaired };

        if (ledgers is not null && ledger is null && saga.Accepted)
            yield return Differs(IntegrityKinds.LedgerMissing, $"accepted and {saga.State}, but the ledger has no budget of it; was the ledger restored to an earlier point?");
        var closed = ledger is not null && ledger.ClosedAttempt >= saga.Attempt;
        if (ledger is not null && ledger.Attempt >= saga.Attempt && !closed && !ledger.Refused)
            yield return Differs(IntegrityKinds.BudgetOpen, $"{saga.State} in attempt {saga.Attempt}, but the ledger has closed only attempt {ledger.ClosedAttempt}");
        if (closed && ledger!.SpentMicroUsd != saga.SpentMicroUsd)
            yield return Differs(IntegrityKinds.SpendingDiffers, $"the saga knows of {Usd(saga.SpentMicroUsd)}, the ledger of {Usd(ledger.SpentMicroUsd)}");

        var deleted = shown is { Deleted: true };
        if (analyses is not null && shownAudits is not null && !deleted && saga.State == AuditStates.Completed && Missing(saga, analysis) is { } missing)
            yield return Differs(IntegrityKinds.AnalysisMissing, missing);

        if (shownAudits is null || deleted || !saga.Registered)
            yield break;
        if (shown is null)
        {
            yield return Differs(IntegrityKinds.ReadModelMissing, $"{saga.State}, but the read model does not know it", repaired: saga.CanBeTold);
            yield break;
        }

        if (shown.Status != saga.State || (shown.Attempt != saga.Attempt && saga.Accepted) || (saga.State == AuditStates.Failed && shown.FailureReason != saga.FailureReason))
            yield return Differs(IntegrityKinds.StateShownDiffers, $"{State(saga.State, saga.Attempt, saga.FailureReason)}, shown as {State(shown.Status, shown.Attempt, shown.FailureReason)}", repaired: saga.CanBeTold);
        if (closed && shown.SpentMicroUsd != ledger!.SpentMicroUsd)
            yield return Differs(IntegrityKinds.SpendingShownDiffers, $"the ledger says {Usd(ledger.SpentMicroUsd)}, shown are {Usd(shown.SpentMicroUsd)}", repaired: saga.CanBeTold);
        if (analysis is not null && saga.State == AuditStates.Completed && Missing(saga, analysis) is null && (shown.Answers != analysis.Answers || shown.ScoreId != saga.ScoreId))
            yield return Differs(IntegrityKinds.ResultShownDiffers, $"the analysis holds {analysis.Answers} answers and score {saga.ScoreId}, shown are {shown.Answers} and {shown.ScoreId?.ToString() ?? "no score"}", repaired: true);
    }

    static string? Missing(SagaFact saga, AnalysisFact? analysis)
    {
        var batches = saga.BatchIds.Except(analysis?.BatchIds ?? []).Count();
        var score = saga.ScoreId is { } id && analysis?.ScoreIds.Contains(id) != true;
        return batches == 0 && !score ? null : string.Create(CultureInfo.InvariantCulture,
            $"Completed, but the analysis lacks {batches} of {saga.BatchIds.Count} batches{(score ? $" and score {saga.ScoreId}" : "")}");
    }

    static string State(string state, int attempt, string? reason) => string.Create(CultureInfo.InvariantCulture, $"{state}{(reason is null ? "" : $" ({reason})")} in attempt {attempt}");

    static string Usd(long microUsd) => string.Create(CultureInfo.InvariantCulture, $"{microUsd / 1_000_000m:0.######} USD");
}

/// <summary>Where a comparison stands: whose audits are paged through, and after which one.</summary>
readonly record struct IntegrityCursor(string Whose, Guid After)
{
    /// <summary>The saga's own audits first; then those of each other service, for what the saga does not know.</summary>
    public static readonly IReadOnlyList<string> Order = [Audits, Ledger, Analysis, ReadModel];

    public const string Audits = "audits";
    public const string Ledger = "ledger";
    public const string Analysis = "analysis";
    public const string ReadModel = "read-model";

    /// <exception cref="FormatException">The text is no cursor of ours.</exception>
    public static IntegrityCursor Parse(string? text)
    {
        if (text is null)
            return new(Audits, Guid.Empty);
        var parts = text.Split('/');
        return parts.Length == 2 && Order.Contains(parts[0], StringComparer.Ordinal) && Guid.TryParse(parts[1], out var after)
            ? new(parts[0], after)
            : throw new FormatException($"'{text}' is no place in a comparison; leave the cursor out to begin anew.");
    }

    /// <summary>The place after a page: the next page of the same, the start of what follows, or null at the end.</summary>
    public string? Then(IReadOnlyList<Guid> page, int pageSize)
    {
        if (page.Count >= pageSize)
            return $"{Whose}/{page[^1]}";
        var next = Order.ToList().IndexOf(Whose) + 1;
        return next < Order.Count ? $"{Order[next]}/{Guid.Empty}" : null;
    }
}
