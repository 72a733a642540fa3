using Assay.Analyzer.Score.Statistics;

namespace Assay.Analyzer.Score.Metrics;

/// <summary>How to score: the seed makes every interval reproducible.</summary>
internal sealed record ScoringOptions
{
    public ulong Seed { get; init; } = 20260101;
    public int Replicates { get; init; } = ClusterBootstrap.DefaultReplicates;
}

/// <summary>All metrics of one brand in one scope, by <see cref="Metric"/> name. Every name is present; a value may be null.</summary>
internal sealed record MetricSet(IReadOnlyDictionary<string, Estimate> Values)
{
    public Estimate this[string metric] => Values.GetValueOrDefault(metric, Estimate.Nothing);
    public Estimate Visibility => this[Metric.Visibility];
    public Estimate ShareOfVoice => this[Metric.ShareOfVoice];
    public Estimate AvgPosition => this[Metric.AvgPosition];
    public Estimate Mrr => this[Metric.Mrr];
    public Estimate RecommendationRate => this[Metric.RecommendationRate];
    public Estimate CitationRate => this[Metric.CitationRate];
    public Estimate NetSentiment => this[Metric.NetSentiment];
    public Estimate ContextCompleteness => this[Metric.ContextCompleteness];
    public Estimate Geo => this[Metric.Geo];
    public Estimate Overall => this[Metric.Overall];
}

internal sealed record BrandScores(string Brand, bool IsOwn, MetricSet Scores);

/// <summary>The scores of a part of the audit: one engine with all brands, one query category with the audited brand.</summary>
internal sealed record ScopeScores(string Name, int Answers, int ValidAnswers, IReadOnlyList<BrandScores> Brands)
{
    /// <summary>The audited brand's metrics.</summary>
    public MetricSet Own => Brands[0].Scores;
}

/// <summary>One query: the share of its valid answers that mention the audited brand, over all engines and for each.</summary>
internal sealed record QueryScores
{
    public required string Query { get; init; }
    public required string Category { get; init; }
    public bool IsBranded { get; init; }
    public required Estimate Visibility { get; init; }
    public required Estimate RecommendationRate { get; init; }
    public double? AvgPosition { get; init; }

    /// <summary>Cells query × engine, Wilson intervals.</summary>
    public required IReadOnlyDictionary<string, Estimate> Engines { get; init; }
}

/// <summary>A difference and whether it can be told from chance.</summary>
internal sealed record Comparison
{
    public required string Metric { get; init; }

    /// <summary>What is compared: a brand, or the later audit.</summary>
    public required string Subject { get; init; }

    /// <summary>What it is compared with: a competitor, or the earlier audit.</summary>
    public required string Other { get; init; }

    public double? Difference { get; init; }
    public double? Low { get; init; }
    public double? High { get; init; }
    public double PValue { get; init; } = 1;

    /// <summary>Queries both sides have.</summary>
    public int Queries { get; init; }

    /// <summary>The interval excludes 0 and the comparison survives Benjamini–Hochberg at 10 % on its page.</summary>
    public bool Detectable { get; init; }

    public string Verdict => Difference is null ? "not comparable"
        : !Detectable ? "no detectable change"
        : Difference > 0 ? "higher" : "lower";
}

/// <summary>The complete score of one audit.</summary>
internal sealed record AuditScores
{
    public required string MetricsVersion { get; init; }
    public required ulong Seed { get; init; }
    public required int Replicates { get; init; }

    /// <summary>The audited brand over all unbranded queries and engines.</summary>
    public required MetricSet Scores { get; init; }

    public required IReadOnlyList<BrandScores> Competitors { get; init; }
    public required IReadOnlyList<ScopeScores> Engines { get; init; }
    public required IReadOnlyList<ScopeScores> Categories { get; init; }
    public required IReadOnlyList<QueryScores> Queries { get; init; }

    /// <summary>The audited brand over the branded queries, reported apart.</summary>
    public required MetricSet Branded { get; init; }

    public required Estimate DiscoveryGap { get; init; }
    public required Estimate Stability { get; init; }

    /// <summary>How often an answer to the control query speaks of a brand that does not exist.</summary>
    public required Estimate FalseMentionFloor { get; init; }

    /// <summary>The audited brand against each competitor on the same queries.</summary>
    public required IReadOnlyList<Comparison> Comparisons { get; init; }
}
