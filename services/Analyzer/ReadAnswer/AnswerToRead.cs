namespace Assay.Analyzer.ReadAnswer;

/// <summary>A source the engine handed back beside its answer.</summary>
internal sealed record AnswerSource(string Url, string? Title = null);

/// <summary>One answer as it was delivered, and what was asked.</summary>
internal sealed record AnswerToRead
{
    public required string Text { get; init; }
    public required string Query { get; init; }

    /// <summary>The language asked for, as <c>en-US</c>; null accepts every language.</summary>
    public string? Locale { get; init; }

    public IReadOnlyList<AnswerSource> Sources { get; init; } = [];
}

/// <summary>A brand as the audit's request names it.</summary>
internal sealed record BrandEntry
{
    public required string Name { get; init; }
    public string? Domain { get; init; }
    public IReadOnlyList<string> Aliases { get; init; } = [];
    public IReadOnlyList<string> Features { get; init; } = [];
}
