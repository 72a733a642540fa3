namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Asks for the scores over what was answered of an audit that ended before it was scored. Answered by <see cref="PartialScores"/>; nothing is stored.</summary>
public sealed record GetPartialScores
{
    public required Guid AuditId { get; init; }
}

/// <summary>The scores over what was answered; they say nothing about the calls that are missing.</summary>
public sealed record PartialScores
{
    public required Guid AuditId { get; init; }

    /// <summary>Null where no valid answer is stored.</summary>
    public AuditScored? Scored { get; init; }
}
