namespace Assay.Analyzer.ReadAnswer;

/// <summary>Whether an answer counts. Only valid answers enter a metric; the others are itemised.</summary>
internal enum AnswerValidity { Valid, Empty, Refused, WrongLanguage }

/// <summary>Everything the deterministic reading finds in one answer. All offsets are UTF-16 code units into the answer's own text.</summary>
internal sealed record AnswerReading
{
    /// <summary>The rules that produced this reading; a reading under another version is not comparable letter by letter.</summary>
    public required string MatcherVersion { get; init; }

    public required AnswerValidity Validity { get; init; }

    /// <summary>Why the answer is not valid, in words; null when it is.</summary>
    public string? ValidityDetail { get; init; }

    /// <summary>The language the answer is written in (<c>en</c>), or null when the text is too short to tell.</summary>
    public string? Language { get; init; }

    public required IReadOnlyList<Mention> Mentions { get; init; }

    /// <summary>Places where a name stands but does not count, with the reason.</summary>
    public required IReadOnlyList<IgnoredMention> Ignored { get; init; }

    /// <summary>One entry for every brand of the lexicon, in its order, the audited brand first.</summary>
    public required IReadOnlyList<BrandReading> Brands { get; init; }

    public required IReadOnlyList<Citation> Citations { get; init; }

    /// <summary>The audited brand's key features that the answer names.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>Names of other brands that head entries of product lists: the rest of the open share of voice.</summary>
    public required IReadOnlyList<string> OtherBrands { get; init; }

    /// <summary>Which facts about the audited brand the answer gives, and which of them stand beside a source.</summary>
    public required IReadOnlyList<ContextField> ContextFields { get; init; }

    /// <summary>Heuristic, 0 to 1: how much a reader learns about the audited brand beside its name; null when it is not mentioned.</summary>
    public double? ContextQuality { get; init; }

    /// <summary>Heuristic, 0 to 1: how well the answer's form suits a featured snippet.</summary>
    public double SnippetPotential { get; init; }

    /// <summary>Heuristic, 0 to 1: how well the answer can be read aloud.</summary>
    public double VoiceFitness { get; init; }

    public int Words { get; init; }
    public int Sentences { get; init; }

    /// <summary>The audited brand's entry.</summary>
    public BrandReading Own => Brands[0];
}

/// <summary>One place where a brand is named.</summary>
internal sealed record Mention
{
    public required string Brand { get; init; }
    public required string Alias { get; init; }
    public required int Start { get; init; }
    public required int End { get; init; }
    public int? Rank { get; init; }

    /// <summary>−1, 0 or +1, of the clause that names the brand.</summary>
    public int Sentiment { get; init; }

    /// <summary>.25 passing, .5 listed, .75 recommended, 1 top pick.</summary>
    public double Recommendation { get; init; }

    /// <summary>Whether the name heads an entry of a list, a table row or a heading.</summary>
    public bool IsListed { get; init; }

    /// <summary>The sentence around the name, shortened.</summary>
    public required string Context { get; init; }
}

internal static class IgnoredReason
{
    public const string Absence = "absence";
    public const string Echo = "echo";
    public const string Refusal = "refusal";
    public const string Code = "code";
    public const string Url = "url";
    public const string SourceLabel = "source-label";
    public const string NoCue = "no-cue";

    /// <summary>Words of the engine's page around the answer: "Your feedback helps Google improve".</summary>
    public const string Interface = "interface";
}

/// <summary>A name that stands in the text and is not a mention.</summary>
internal sealed record IgnoredMention(string Brand, string Alias, int Start, int End, string Reason);

/// <summary>What one answer says about one brand.</summary>
internal sealed record BrandReading
{
    public required string Brand { get; init; }
    public bool IsOwn { get; init; }
    public bool Mentioned => MentionCount > 0;
    public int MentionCount { get; init; }

    /// <summary>List ordinal where a list names the brand, else its place in the order of first mention; null when absent.</summary>
    public int? Rank { get; init; }

    /// <summary>0 absent, .25 passing, .5 listed, .75 recommended, 1 top pick.</summary>
    public double Recommendation { get; init; }

    /// <summary>The sign of the sum over the brand's clauses.</summary>
    public int Sentiment { get; init; }

    public int PositiveClauses { get; init; }
    public int NeutralClauses { get; init; }
    public int NegativeClauses { get; init; }
    public bool IsListed { get; init; }

    /// <summary>Position-adjusted share of the answer's words in sentences that name the brand (METRICS.md, BrandPAWC).</summary>
    public double PositionShare { get; init; }

    /// <summary>Whether the answer cites the brand's own domain.</summary>
    public bool Cited { get; init; }
}

internal static class CitationCategory
{
    public const string Owned = "owned";
    public const string Competitor = "competitor";
    public const string ThirdParty = "third-party";
}

/// <summary>A source of an answer. Retrieved sources come from the engine; cited ones stand in the text.</summary>
internal sealed record Citation
{
    public required string Url { get; init; }

    /// <summary>Registrable domain; null for an address without one.</summary>
    public string? Domain { get; init; }

    public string? Title { get; init; }
    public required string Category { get; init; }

    /// <summary>The brand that owns the domain, if the lexicon knows it.</summary>
    public string? Brand { get; init; }

    /// <summary>Where the citation stands in the text; null when the source was only retrieved.</summary>
    public int? Start { get; init; }

    public bool Cited => Start is not null;

    /// <summary>Share of the answer's words in sentences that cite this source (GEO impression, word count).</summary>
    public double WordShare { get; init; }

    /// <summary>The same, sentences weighted by position.</summary>
    public double PositionShare { get; init; }
}

/// <summary>One kind of fact a buyer needs about a brand.</summary>
internal sealed record ContextField(string Field, double Weight, bool Present, bool Sourced);
