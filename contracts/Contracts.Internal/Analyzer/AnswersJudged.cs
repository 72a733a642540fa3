using Assay.Contracts;

namespace Assay.Contracts.Internal.Analyzer;

/// <summary>
/// A language model's second opinion on answers that mention the brand: recommendation, tone and features, never whether the brand
/// was mentioned. It changes no score; the agreement is reported. Published only where judging is switched on.
/// </summary>
public sealed record AnswersJudged
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required bool Simulated { get; init; }

    /// <summary>Answers asked about.</summary>
    public required int Asked { get; init; }

    /// <summary>Usable opinions among them.</summary>
    public required int Judged { get; init; }

    /// <summary>Cohen's κ of recommendation strength; null with nothing to compare, or where both always say the same.</summary>
    public double? RecommendationKappa { get; init; }

    /// <summary>Cohen's κ of tone.</summary>
    public double? SentimentKappa { get; init; }

    /// <summary>κ of recommendation strength with its 95 % interval: queries resampled with all their answers.</summary>
    public ScoreValue? RecommendationAgreement { get; init; }

    /// <summary>κ of tone with its 95 % interval.</summary>
    public ScoreValue? SentimentAgreement { get; init; }

    /// <summary>Share of opinions that name the same key features.</summary>
    public double? FeaturesAgree { get; init; }

    /// <summary>Where judge and reading differ, at most 100.</summary>
    public required IReadOnlyList<JudgeDisagreement> Disagreements { get; init; }

    /// <summary>What the opinions cost when they were asked for; 0 where they are told again.</summary>
    public required long SpentMicroUsd { get; init; }

    /// <summary>Every opinion that was asked for, usable or not, in order of call key.</summary>
    public IReadOnlyList<JudgeOpinion> Opinions { get; init; } = [];
}

/// <summary>What reading and judge say of one answer. Where the judge's words could not be used, its values are null and <see cref="Reason"/> says why.</summary>
public sealed record JudgeOpinion
{
    public required string CallKey { get; init; }
    public required double ReadRecommendation { get; init; }
    public required int ReadSentiment { get; init; }
    public IReadOnlyList<string> ReadFeatures { get; init; } = [];
    public double? Recommendation { get; init; }
    public int? Sentiment { get; init; }

    /// <summary>Null where the judge named none to compare.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    public string? Reason { get; init; }
    public required bool Disagrees { get; init; }
}

/// <summary>One answer on which judge and reading differ.</summary>
public sealed record JudgeDisagreement
{
    public required string CallKey { get; init; }
    public required double ReadRecommendation { get; init; }
    public required double JudgedRecommendation { get; init; }
    public required int ReadSentiment { get; init; }
    public required int JudgedSentiment { get; init; }
}
