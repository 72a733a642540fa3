namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Deletes everything the Analyzer keeps of an ended audit: texts, readings, scores, insights. Answered by <see cref="AnswersErased"/>; repeating it changes nothing.</summary>
public sealed record EraseAnswers
{
    public required Guid AuditId { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>Nothing of the audit is kept at the Analyzer any more. Published too: the ledger lets its texts go, and the saga points to that result no more.</summary>
public sealed record AnswersErased
{
    public required Guid AuditId { get; init; }

    /// <summary>Answers deleted by this command; 0 when it is repeated.</summary>
    public required int Answers { get; init; }
}
