using Assay.Analyzer.ReadAnswer;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>An answer as the read model shows it: everything but the full text.</summary>
static class AnswerDescription
{
    const int ExcerptLength = 300;

    // A page shows some; an answer that names a brand a thousand times must not fill the bus.
    const int MaxMentions = 200;
    const int MaxCitations = 200;
    const int MaxIgnored = 100;

    /// <summary>As its row tells.</summary>
    public static DescribedAnswer Of(AnswerRow row) => Of(row, row.Reading is { } json ? ReadingColumn.Read(json, row.AuditId, row.CallKey) : null);

    /// <param name="row">The row.</param>
    /// <param name="reading">What the row's column of that name holds.</param>
    public static DescribedAnswer Of(AnswerRow row, AnswerReading? reading) => new()
    {
        CallKey = row.CallKey,
        QueryId = row.QueryId,
        Query = row.Query,
        Category = row.Category,
        Branded = row.Branded,
        Control = row.Control,
        Run = row.Run,
        Outcome = row.Outcome,
        Reason = row.Reason,
        RequestedModel = row.RequestedModel,
        ServedModel = row.ServedModel,
        Surface = row.Surface,
        Excerpt = Beginning(row.Text ?? "", ExcerptLength),
        TextLength = row.Text?.Length ?? 0,
        TextHash = row.TextHash,
        ResponseTimeMs = row.ResponseTimeMs,
        InputTokens = row.InputTokens,
        OutputTokens = row.OutputTokens,
        CostMicroUsd = row.CostMicroUsd,
        CacheHit = row.CacheHit,
        Reused = row.Reused,
        PaidTries = row.PaidTries,
        MatcherVersion = row.MatcherVersion ?? MentionMatcher.Version,
        Mentions = reading is null ? [] : [.. reading.Mentions.Take(MaxMentions).Select(mention => Mention(mention, reading))],
        Citations = reading is null ? [] : [.. reading.Citations.Take(MaxCitations).Select(Citation)],
        Features = reading?.Features ?? [],
        OtherBrands = reading?.OtherBrands ?? [],
        SnippetPotential = reading?.SnippetPotential ?? 0,
        VoiceFitness = reading?.VoiceFitness ?? 0,
        Ignored = reading is null ? [] : [.. reading.Ignored.Take(MaxIgnored).Select(ignored => new DescribedIgnored { Brand = ignored.Brand, Alias = ignored.Alias, Start = ignored.Start, End = ignored.End, Reason = ignored.Reason })],
        ContextQuality = reading?.ContextQuality,
        Facts = reading is null ? [] : [.. reading.ContextFields.Select(fact => new DescribedFact { Field = fact.Field, Present = fact.Present, Sourced = fact.Sourced })],
        Language = reading?.Language,
        FictitiousMentioned = row.FictitiousMentioned,
        SearchOn = row.SearchUsed == true || reading is { Citations.Count: > 0 },
    };

    /// <summary>The first characters, never ending in half a surrogate pair.</summary>
    internal static string Beginning(string text, int length)
    {
        if (text.Length <= length)
            return text;
        var end = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return string.Concat(text.AsSpan(0, end), "…");
    }

    static DescribedMention Mention(Mention mention, AnswerReading reading) => new()
    {
        Brand = mention.Brand,
        Alias = mention.Alias,
        Start = mention.Start,
        End = mention.End,
        Rank = mention.Rank ?? reading.Brands.FirstOrDefault(brand => brand.Brand == mention.Brand)?.Rank ?? reading.Brands.Count(brand => brand.Mentioned),
        Sentiment = mention.Sentiment,
        Recommendation = mention.Recommendation,
        Context = mention.Context,
    };

    static DescribedCitation Citation(Citation citation) => new()
    {
        Url = citation.Url,
        Domain = citation.Domain ?? "",
        Title = citation.Title,
        Category = citation.Category switch
        {
            CitationCategory.Owned => "owned",
            CitationCategory.Competitor => "competitor",
            _ => "thirdParty",
        },
        Cited = citation.Cited,
    };
}
