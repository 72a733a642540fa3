namespace Assay.Analyzer.DraftInsights;

/// <summary>A valid answer as insights and recommended actions see it.</summary>
sealed record EvidenceAnswer
{
    public required string CallKey { get; init; }
    public required string QueryId { get; init; }
    public required string Query { get; init; }
    public required string Category { get; init; }
    public required bool Branded { get; init; }
    public required bool Control { get; init; }
    public required string Engine { get; init; }

    /// <summary>Words around the first mention, else the beginning.</summary>
    public required string Excerpt { get; init; }

    public required bool MentionsBrand { get; init; }
    public required IReadOnlyList<EvidenceMention> Mentions { get; init; }
    public required IReadOnlyList<string> OtherBrands { get; init; }
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>Registrable domains of what it cites or retrieved.</summary>
    public required IReadOnlyList<string> Domains { get; init; }

    public required bool CitesOwned { get; init; }

    /// <summary>The brand's own rank, sentiment and recommendation; null where it is not mentioned.</summary>
    public EvidenceMention? Own => MentionsBrand ? Mentions[0] : null;
}

/// <summary>What an answer says about one brand; the audited brand's comes first.</summary>
sealed record EvidenceMention(string Brand, int? Rank, int Sentiment, double Recommendation);
