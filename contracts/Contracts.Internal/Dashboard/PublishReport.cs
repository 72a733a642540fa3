namespace Assay.Contracts.Internal.Dashboard;

/// <summary>Asks the Dashboard for the report that this manifest describes; it answers with <see cref="ReportPublished"/> in the transaction that makes the manifest complete, never with less.</summary>
public sealed record PublishReport
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>The batches of panel answers; those kept from an earlier attempt included.</summary>
    public required IReadOnlyList<Guid> BatchIds { get; init; }

    /// <summary>Answers in those batches, whatever their outcome.</summary>
    public required int AnswerCount { get; init; }

    public required Guid ScoreId { get; init; }
    public required IReadOnlyList<int> Layers { get; init; }
}

/// <summary>Everything the manifest names is in the read model.</summary>
public sealed record ReportPublished
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required DateTime PublishedAt { get; init; }
}
