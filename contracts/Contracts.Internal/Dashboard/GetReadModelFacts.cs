using Assay.Contracts.Internal.AuditSaga;

namespace Assay.Contracts.Internal.Dashboard;

/// <summary>Asks what the read model shows of these audits, or of the next ones by id; answered by <see cref="ReadModelFacts"/>.</summary>
public sealed record GetReadModelFacts
{
    /// <summary>These audits; null for the <see cref="Limit"/> next after <see cref="After"/>.</summary>
    public IReadOnlyList<Guid>? AuditIds { get; init; }

    public Guid? After { get; init; }
    public int Limit { get; init; } = 100;
}

/// <summary>In the order of the read model's ids; deleted audits only if they were asked for.</summary>
public sealed record ReadModelFacts
{
    public required IReadOnlyList<ReadModelFact> Audits { get; init; }
}

/// <summary>What is shown of an audit.</summary>
public sealed record ReadModelFact
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string Status { get; init; }
    public string? FailureReason { get; init; }
    public required long SpentMicroUsd { get; init; }
    public required int Answers { get; init; }
    public Guid? ScoreId { get; init; }

    /// <summary>A person deleted it: it is missing on purpose, here and in the analysis.</summary>
    public required bool Deleted { get; init; }
}

/// <summary>Tells the read model everything the saga knows of an ended audit, to put in place of what it shows.</summary>
public sealed record RepairReadModel
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public AuditRegistered? Registered { get; init; }
    public AuditAccepted? Accepted { get; init; }
    public required IReadOnlyList<AuditTransitioned> Transitions { get; init; }

    /// <summary>The end: one of the four.</summary>
    public AuditCompleted? Completed { get; init; }

    /// <inheritdoc cref="Completed"/>
    public AuditFailed? Failed { get; init; }

    /// <inheritdoc cref="Completed"/>
    public AuditCancelled? Cancelled { get; init; }

    /// <inheritdoc cref="Completed"/>
    public AuditRejected? Rejected { get; init; }

    /// <summary>How the attempts before this one ended, as far as the saga's transitions tell.</summary>
    public IReadOnlyList<EarlierEnd> EarlierEnds { get; init; } = [];

    /// <summary>What the ledger says was spent; null if it is not known.</summary>
    public long? SpentMicroUsd { get; init; }

    /// <summary>Answers, score and insights are to be fetched anew too.</summary>
    public required bool Pieces { get; init; }
}

/// <summary>How an attempt ended that a retry has followed. Its words and its money are not kept by the saga.</summary>
public sealed record EarlierEnd
{
    public required int Attempt { get; init; }

    /// <summary>Failed or Cancelled.</summary>
    public required string Status { get; init; }

    /// <summary>The phase it ended in.</summary>
    public required string Phase { get; init; }

    /// <summary>The message, timer or watch that ended it.</summary>
    public required string Trigger { get; init; }

    /// <summary>The reason, where what ended it leaves only one; else null.</summary>
    public string? Reason { get; init; }

    public required DateTime EndedAt { get; init; }
}
