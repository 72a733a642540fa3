using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Contracts.Internal.Analyzer;

/// <summary>A batch of panel answers is stored and read. Carries the counts; the details travel as <see cref="AnswersDescribed"/>.</summary>
public sealed record AnswersAnalyzed
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid BatchId { get; init; }
    public required string Engine { get; init; }
    public required CoverageCounts Coverage { get; init; }

    /// <summary>Spent on this batch in this attempt; reused answers cost nothing.</summary>
    public required long SpentMicroUsd { get; init; }
}

/// <summary>How planned calls ended: <c>Planned = Valid + Declined + Refused + Empty + InDoubt</c>; <c>Reused</c> is a part of <c>Valid</c>.</summary>
public sealed record CoverageCounts
{
    public required int Planned { get; init; }
    public required int Valid { get; init; }
    public required int Declined { get; init; }
    public required int Refused { get; init; }
    public required int Empty { get; init; }
    public required int InDoubt { get; init; }
    public required int Reused { get; init; }

    /// <summary>Counts by sub-reason, for example <c>WrongLanguage</c> or <c>CutByLength</c>.</summary>
    public IReadOnlyDictionary<string, int> Reasons { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);
}

/// <summary>The details of a batch for the read model: everything but the full texts.</summary>
public sealed record AnswersDescribed
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid BatchId { get; init; }
    public required string Engine { get; init; }
    public required string EngineKind { get; init; }
    public required bool Simulated { get; init; }
    public required IReadOnlyList<DescribedAnswer> Answers { get; init; }
}

/// <summary>One panel answer as read.</summary>
public sealed record DescribedAnswer
{
    public required string CallKey { get; init; }
    public required string QueryId { get; init; }
    public required string Query { get; init; }
    public required string Category { get; init; }
    public required bool Branded { get; init; }
    public required bool Control { get; init; }
    public required int Run { get; init; }

    /// <summary>valid, declined, refused, empty or inDoubt.</summary>
    public required string Outcome { get; init; }

    public string? Reason { get; init; }
    public required string RequestedModel { get; init; }
    public string? ServedModel { get; init; }
    public required string Surface { get; init; }

    /// <summary>The first characters of the text, for lists.</summary>
    public required string Excerpt { get; init; }

    /// <summary>Length of the text in UTF-16 code units; 0 without a text.</summary>
    public required int TextLength { get; init; }

    public string? TextHash { get; init; }
    public int? ResponseTimeMs { get; init; }
    public int? InputTokens { get; init; }
    public int? OutputTokens { get; init; }
    public required long CostMicroUsd { get; init; }
    public bool CacheHit { get; init; }
    public bool Reused { get; init; }
    public required int PaidTries { get; init; }
    public required string MatcherVersion { get; init; }
    public required IReadOnlyList<DescribedMention> Mentions { get; init; }
    public required IReadOnlyList<DescribedCitation> Citations { get; init; }
    public required IReadOnlyList<string> Features { get; init; }
    public required IReadOnlyList<string> OtherBrands { get; init; }
    public required double SnippetPotential { get; init; }
    public required double VoiceFitness { get; init; }

    /// <summary>Places where a name stands and does not count, at most 100.</summary>
    public IReadOnlyList<DescribedIgnored> Ignored { get; init; } = [];

    /// <summary>Heuristic, 0 to 1: how much a reader learns about the brand beside its name; null where it is not mentioned.</summary>
    public double? ContextQuality { get; init; }

    /// <summary>Which facts about the brand the answer gives, and which of them stand beside a source.</summary>
    public IReadOnlyList<DescribedFact> Facts { get; init; } = [];

    /// <summary>The language it is written in; null when too short to tell.</summary>
    public string? Language { get; init; }

    /// <summary>Whether it was produced with search on; only such answers enter the citation rate.</summary>
    public bool SearchOn { get; init; }

    /// <summary>For the control query: whether it speaks of the brand that does not exist.</summary>
    public bool FictitiousMentioned { get; init; }
}

/// <summary>A name that stands in the text and is no mention.</summary>
public sealed record DescribedIgnored
{
    public required string Brand { get; init; }
    public required string Alias { get; init; }
    public required int Start { get; init; }
    public required int End { get; init; }

    /// <summary>absence, echo, refusal, code, url, source-label, no-cue or interface.</summary>
    public required string Reason { get; init; }
}

/// <summary>One kind of fact a buyer needs about a brand.</summary>
public sealed record DescribedFact
{
    public required string Field { get; init; }
    public required bool Present { get; init; }
    public required bool Sourced { get; init; }
}

/// <summary>One place where a brand is named in an answer.</summary>
public sealed record DescribedMention
{
    /// <summary>The canonical name of the brand or competitor.</summary>
    public required string Brand { get; init; }

    /// <summary>The alias that matched, as configured.</summary>
    public required string Alias { get; init; }

    /// <summary>Offset of the first UTF-16 code unit in the text.</summary>
    public required int Start { get; init; }

    /// <summary>Offset behind the last UTF-16 code unit.</summary>
    public required int End { get; init; }

    /// <summary>Rank of the brand in this answer, from 1.</summary>
    public required int Rank { get; init; }

    /// <summary>−1, 0 or +1 of the clause.</summary>
    public required int Sentiment { get; init; }

    /// <summary>0.25 passing, 0.5 listed, 0.75 recommended, 1 top pick.</summary>
    public required double Recommendation { get; init; }

    /// <summary>The words around the mention.</summary>
    public required string Context { get; init; }
}

/// <summary>A link of an answer.</summary>
public sealed record DescribedCitation
{
    public required string Url { get; init; }
    public required string Domain { get; init; }
    public string? Title { get; init; }

    /// <summary>owned, competitor or thirdParty.</summary>
    public required string Category { get; init; }

    /// <summary>True if the answer cites it, false if it was only retrieved.</summary>
    public required bool Cited { get; init; }
}

/// <summary>Asks for full texts; answered by <see cref="AnswerTexts"/>.</summary>
public sealed record GetAnswerTexts
{
    public required Guid AuditId { get; init; }

    /// <summary>At most 200 keys.</summary>
    public required IReadOnlyList<string> CallKeys { get; init; }
}

/// <summary>The texts that are stored, by call key; a key without a stored text is absent.</summary>
public sealed record AnswerTexts
{
    public required Guid AuditId { get; init; }
    public required IReadOnlyList<AnswerText> Texts { get; init; }
}

/// <summary>The text of one answer.</summary>
public sealed record AnswerText
{
    public required string CallKey { get; init; }
    public required string Text { get; init; }
    public required string TextHash { get; init; }
    public IReadOnlyList<AnswerSource> Sources { get; init; } = [];
}
