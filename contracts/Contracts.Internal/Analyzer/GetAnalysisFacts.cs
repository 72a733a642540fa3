namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Asks what the analysis holds of these audits, or of the next ones by id; answered by <see cref="AnalysisFacts"/>.</summary>
public sealed record GetAnalysisFacts
{
    /// <summary>These audits; null for the <see cref="Limit"/> next after <see cref="After"/>.</summary>
    public IReadOnlyList<Guid>? AuditIds { get; init; }

    public Guid? After { get; init; }
    public int Limit { get; init; } = 100;
}

/// <summary>In the order of the analysis's ids.</summary>
public sealed record AnalysisFacts
{
    public required IReadOnlyList<AnalysisFact> Audits { get; init; }
}

/// <summary>What was read of an audit.</summary>
public sealed record AnalysisFact
{
    public required Guid AuditId { get; init; }
    public required IReadOnlyList<Guid> BatchIds { get; init; }
    public required int Answers { get; init; }
    public required IReadOnlyList<Guid> ScoreIds { get; init; }
}

/// <summary>Tells once more, for the read model, everything that was read of an audit: answers, score, insights, a judge's opinions. Nothing is read or asked anew.</summary>
public sealed record DescribeAgain
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
}
