namespace Assay.Contracts.Internal.AuditSaga;

/// <summary>
/// Asks the saga to compare a page of audits with what ledger, analysis and read model hold of them, and to have the read model repaired where
/// it differs. Answered by <see cref="IntegrityPage"/>; ask again with its <see cref="IntegrityPage.Next"/> until that is null.
/// </summary>
public sealed record CheckIntegrity
{
    /// <summary>Null for the first page.</summary>
    public string? Cursor { get; init; }

    /// <summary>Audits in one page; at most <see cref="MaxPageSize"/>.</summary>
    public int PageSize { get; init; } = 100;

    /// <summary>False only looks.</summary>
    public bool Repair { get; init; } = true;

    public const int MaxPageSize = 200;
}

/// <summary>What a page of the comparison found.</summary>
public sealed record IntegrityPage
{
    /// <summary>Audits compared.</summary>
    public required int Checked { get; init; }

    /// <summary>Audits passed over because they live or ended just now: their messages are still on the way.</summary>
    public required int Unsettled { get; init; }

    public required IReadOnlyList<IntegrityDifference> Differences { get; init; }

    /// <summary>Services that did not answer; nothing was compared with them.</summary>
    public required IReadOnlyList<string> Unanswered { get; init; }

    /// <summary>Where to go on; null after the last page.</summary>
    public string? Next { get; init; }

    public required DateTime CheckedAt { get; init; }
}

/// <summary>One thing on which two services disagree about an audit.</summary>
public sealed record IntegrityDifference
{
    public required Guid AuditId { get; init; }

    /// <summary>One of <see cref="IntegrityKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>For a reader: who says what.</summary>
    public required string Detail { get; init; }

    /// <summary>The read model is what differs and can be put right; unless only a look was asked for, it was told to. Nothing else is ever repaired.</summary>
    public required bool Repaired { get; init; }
}

/// <summary>Values of <see cref="IntegrityDifference.Kind"/>.</summary>
public static class IntegrityKinds
{
    /// <summary>The saga accepted the audit; the ledger has no budget of it.</summary>
    public const string LedgerMissing = "LedgerMissing";

    /// <summary>The ledger has a budget of an audit that the saga never knew.</summary>
    public const string LedgerUnknown = "LedgerUnknown";

    /// <summary>The audit has ended; its budget is still open.</summary>
    public const string BudgetOpen = "BudgetOpen";

    /// <summary>Saga and ledger disagree on what was spent.</summary>
    public const string SpendingDiffers = "SpendingDiffers";

    /// <summary>The audit is completed; answers or score it counts are not in the analysis.</summary>
    public const string AnalysisMissing = "AnalysisMissing";

    /// <summary>The analysis holds an audit that the saga never knew.</summary>
    public const string AnalysisUnknown = "AnalysisUnknown";

    /// <summary>The read model does not know the audit.</summary>
    public const string ReadModelMissing = "ReadModelMissing";

    /// <summary>The read model shows an audit that the saga never knew.</summary>
    public const string ReadModelUnknown = "ReadModelUnknown";

    /// <summary>The read model shows another state, attempt or reason.</summary>
    public const string StateShownDiffers = "StateShownDiffers";

    /// <summary>The read model shows other spending than the ledger.</summary>
    public const string SpendingShownDiffers = "SpendingShownDiffers";

    /// <summary>The read model holds other answers or another score than the analysis.</summary>
    public const string ResultShownDiffers = "ResultShownDiffers";
}
