using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.Score.Metrics;

/// <summary>What scoring needs to know about one answer: the reading boiled down to numbers, and where it belongs.</summary>
internal sealed record ScoredAnswer
{
    public required string Query { get; init; }
    public string Category { get; init; } = "other";

    /// <summary>The query's own words name the brand or a tracked competitor; such queries are reported apart.</summary>
    public bool IsBranded { get; init; }

    /// <summary>The question about a fictitious brand.</summary>
    public bool IsControl { get; init; }

    /// <summary>For the control query: whether the answer spoke of the fictitious brand as if it existed.</summary>
    public bool FictitiousMentioned { get; init; }

    /// <summary>Search volume of the query, if known; 1 otherwise.</summary>
    public double Weight { get; init; } = 1;

    public required string Engine { get; init; }
    public int Run { get; init; } = 1;
    public bool IsValid { get; init; } = true;

    /// <summary>Whether the engine searched the web for this answer; only such answers enter the citation rate.</summary>
    public bool SearchOn { get; init; }

    /// <summary>The audited brand first, then the competitors, the same order in every answer.</summary>
    public required IReadOnlyList<ScoredBrand> Brands { get; init; }

    /// <summary>Names of brands found that nobody tracks.</summary>
    public IReadOnlyList<string> OtherBrands { get; init; } = [];

    public bool HasCitations { get; init; }

    /// <summary>Weighted share of the facts about the audited brand that are present and sourced; null when it is not mentioned.</summary>
    public double? ContextCompleteness { get; init; }

    public static ScoredAnswer From(AnswerReading reading, string query, string engine, int run, bool isBranded, string category = "other", bool searchOn = false, double weight = 1, bool isControl = false, bool fictitiousMentioned = false)
    {
        var cited = reading.Citations.Where(c => c.Cited).ToList();
        return new ScoredAnswer
        {
            Query = query,
            Category = category,
            IsBranded = isBranded,
            IsControl = isControl,
            FictitiousMentioned = fictitiousMentioned,
            Weight = weight,
            Engine = engine,
            Run = run,
            IsValid = reading.Validity is AnswerValidity.Valid,
            SearchOn = searchOn || reading.Citations.Count > 0,
            Brands = [.. reading.Brands.Select(b => ScoredBrand.From(b, cited))],
            OtherBrands = reading.OtherBrands,
            HasCitations = cited.Count > 0,
            ContextCompleteness = reading.ContextFields.Count == 0 ? null
                : reading.ContextFields.Sum(f => f is { Present: true, Sourced: true } ? f.Weight : 0) / reading.ContextFields.Sum(f => f.Weight),
        };
    }
}

/// <summary>One brand in one answer.</summary>
internal sealed record ScoredBrand
{
    public required string Brand { get; init; }
    public bool Mentioned { get; init; }
    public int? Rank { get; init; }
    public double Recommendation { get; init; }
    public int PositiveClauses { get; init; }
    public int NeutralClauses { get; init; }
    public int NegativeClauses { get; init; }
    public double PositionShare { get; init; }

    /// <summary>Whether the answer cites the brand's own domain.</summary>
    public bool Cited { get; init; }

    public double CitedWordShare { get; init; }
    public double CitedPositionShare { get; init; }

    public static ScoredBrand From(BrandReading reading, IReadOnlyList<Citation> cited) => new()
    {
        Brand = reading.Brand,
        Mentioned = reading.Mentioned,
        Rank = reading.Rank,
        Recommendation = reading.Recommendation,
        PositiveClauses = reading.PositiveClauses,
        NeutralClauses = reading.NeutralClauses,
        NegativeClauses = reading.NegativeClauses,
        PositionShare = reading.PositionShare,
        Cited = cited.Any(c => string.Equals(c.Brand, reading.Brand, StringComparison.Ordinal)),
        CitedWordShare = cited.Where(c => string.Equals(c.Brand, reading.Brand, StringComparison.Ordinal)).Sum(c => c.WordShare),
        CitedPositionShare = cited.Where(c => string.Equals(c.Brand, reading.Brand, StringComparison.Ordinal)).Sum(c => c.PositionShare),
    };
}
