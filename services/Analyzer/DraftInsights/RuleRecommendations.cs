using System.Globalization;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.DraftInsights;

/// <summary>
/// Recommended actions from plain rules over the scores, for audits without an advisor and to fill up what it left short.
/// Always at least three, each naming query, engine, evidence and metric; labelled as rule-based.
/// </summary>
static class RuleRecommendations
{
    public const int AtLeast = 3;
    const int AtMost = 6;
    const int MaxEvidence = 6;

    public static IReadOnlyList<Recommendation> Complete(IReadOnlyList<Recommendation> advised, Evidence evidence)
    {
        if (advised.Count >= AtLeast)
            return advised;
        var taken = advised.Select(action => (action.Query, action.Engine, action.Metric)).ToHashSet();
        return [.. advised, .. Of(evidence).Where(action => taken.Add((action.Query, action.Engine, action.Metric))).Take(AtMost - advised.Count)];
    }

    internal static IEnumerable<Recommendation> Of(Evidence evidence)
    {
        var weakestEngine = WeakestEngine(evidence);
        var unbranded = evidence.Scores.Queries
            .Where(query => !query.Branded && query.ValidAnswers > 0)
            .OrderBy(query => query.Visibility.Value).ThenByDescending(query => query.ValidAnswers).ThenBy(query => query.QueryId, StringComparer.Ordinal)
            .ToList();

        foreach (var query in unbranded.Where(query => query.Mentions < query.ValidAnswers).Take(2))
            yield return Absent(evidence, query, weakestEngine);
        if (weakestEngine is not null && evidence.Scores.Engines.Count > 1 && Quietest(evidence, weakestEngine) is { } quiet)
            yield return quiet;
        if (Citations(evidence, weakestEngine) is { } citations)
            yield return citations;
        if (Ahead(evidence) is { } ahead)
            yield return ahead;
        if (Reserved(evidence) is { } reserved)
            yield return reserved;
        if (Position(evidence) is { } position)
            yield return position;

        // Where everything above holds already, what remains is to keep it and to look wider.
        var strongest = unbranded.LastOrDefault() ?? evidence.Scores.Queries.FirstOrDefault();
        var engine = weakestEngine ?? evidence.Scores.Engines.FirstOrDefault()?.Name;
        if (strongest is not null && engine is not null)
        {
            var about = Of(evidence, strongest.QueryId, null);
            yield return New("Hold what works", $"Keep the pages and reviews current that support \"{strongest.Query}\"; ask it again after each change of product or price and compare the intervals.", strongest.Query, engine, "visibility", about);
            yield return New("Earn first place", $"For \"{strongest.Query}\" give reviewers and comparison sites the facts that decide a ranking – tests, prices, warranty – so that {engine} names {evidence.Brand} first.", strongest.Query, engine, "mrr", about);
            yield return New("Turn mentions into recommendations", $"State plainly for whom {evidence.Brand} is the right choice in the situation of \"{strongest.Query}\", on own pages and where {engine} finds its sources.", strongest.Query, engine, "recommendationRate", about);
        }
    }

    static Recommendation Absent(Evidence evidence, QueryScores query, string? weakestEngine)
    {
        var missing = Of(evidence, query.QueryId, null).Where(answer => !answer.MentionsBrand).ToList();
        var rivals = TopRivals(evidence, missing);
        return New(
            $"Answer \"{Short(query.Query)}\"",
            $"{evidence.Brand} is named in {query.Mentions} of {query.ValidAnswers} valid answers to \"{query.Query}\"{(rivals.Length > 0 ? $"; they name {rivals} instead" : "")}. Publish a page that answers exactly this question with checkable facts, and offer it to the sources these answers rest on.",
            query.Query, missing.Select(answer => answer.Engine).FirstOrDefault() ?? weakestEngine ?? "", "visibility", missing);
    }

    static Recommendation? Quietest(Evidence evidence, string engine)
    {
        var missing = evidence.Unbranded.Where(answer => answer.Engine == engine && !answer.MentionsBrand).OrderBy(answer => answer.QueryId, StringComparer.Ordinal).ToList();
        if (missing.Count == 0)
            return null;
        var visibility = evidence.Scores.Engines.First(e => e.Name == engine).Scores.GetValueOrDefault("visibility");
        return New(
            $"Be found by {engine}",
            $"{engine} names {evidence.Brand} least of all engines asked{Percent(visibility)}. Check which sources it relies on for \"{missing[0].Query}\" and make sure {evidence.Brand} is described there.",
            missing[0].Query, engine, "visibility", missing);
    }

    static Recommendation? Citations(Evidence evidence, string? weakestEngine)
    {
        var without = evidence.Unbranded.Where(answer => !answer.CitesOwned && answer.Domains.Count > 0)
            .OrderBy(answer => answer.MentionsBrand).ThenBy(answer => answer.QueryId, StringComparer.Ordinal).ToList();
        if (without.Count == 0)
            return null;
        var domains = string.Join(", ", without.SelectMany(answer => answer.Domains.Distinct(StringComparer.Ordinal)).GroupBy(domain => domain, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Take(3).Select(group => group.Key));
        return New(
            "Win citations for the own domain",
            $"Answers to \"{without[0].Query}\" rest on other sources, most often {domains}. Publish citable material – data, tests, guides – on the own domain and seek coverage on those sites.",
            without[0].Query, without[0].Engine.Length > 0 ? without[0].Engine : weakestEngine ?? "", "citationRate", without);
    }

    static Recommendation? Ahead(Evidence evidence)
    {
        var rival = evidence.Scores.Competitors.Where(competitor => competitor.Difference.Value < 0).OrderByDescending(competitor => competitor.Detectable).ThenBy(competitor => competitor.Difference.Value).FirstOrDefault();
        if (rival is null)
            return null;
        var lost = evidence.Unbranded.Where(answer => !answer.MentionsBrand && answer.Mentions.Any(mention => mention.Brand == rival.Name))
            .OrderBy(answer => answer.QueryId, StringComparer.Ordinal).ToList();
        if (lost.Count == 0)
            return null;
        var certainty = rival.Detectable ? "" : "; the difference is not detectable yet, a larger panel would tell";
        return New(
            $"Close the gap to {rival.Name}",
            $"{rival.Name} is named where {evidence.Brand} is not, for example on \"{lost[0].Query}\"{certainty}. Publish a fair comparison of {evidence.Brand} and {rival.Name} for this situation and bring it to the sources that {lost[0].Engine} uses.",
            lost[0].Query, lost[0].Engine, "shareOfVoice", lost);
    }

    static Recommendation? Reserved(Evidence evidence)
    {
        var negative = evidence.Answers.Where(answer => answer.Own is { Sentiment: < 0 }).OrderBy(answer => answer.QueryId, StringComparer.Ordinal).ToList();
        return negative.Count == 0 ? null : New(
            "Answer the criticism",
            $"Some answers speak of {evidence.Brand} with reserve, for example on \"{negative[0].Query}\". Read the passages, mend what is true, and correct at its source what is not.",
            negative[0].Query, negative[0].Engine, "netSentiment", negative);
    }

    static Recommendation? Position(Evidence evidence)
    {
        var late = evidence.Unbranded.Where(answer => answer.Own is { Rank: > 2 }).OrderByDescending(answer => answer.Own!.Rank).ThenBy(answer => answer.QueryId, StringComparer.Ordinal).ToList();
        return late.Count == 0 ? null : New(
            "Move up in lists",
            $"On \"{late[0].Query}\" {late[0].Engine} names {evidence.Brand} behind others. Give comparison sites the facts by which they rank, and say plainly what {evidence.Brand} does best in this situation.",
            late[0].Query, late[0].Engine, "averagePosition", late);
    }

    static string? WeakestEngine(Evidence evidence) => evidence.Scores.Engines
        .Where(engine => engine.Scores.GetValueOrDefault("visibility")?.Value is not null)
        .OrderBy(engine => engine.Scores["visibility"].Value).ThenBy(engine => engine.Name, StringComparer.Ordinal)
        .FirstOrDefault()?.Name;

    static IEnumerable<EvidenceAnswer> Of(Evidence evidence, string queryId, string? engine) => evidence.Answers
        .Where(answer => answer.QueryId == queryId && (engine is null || answer.Engine == engine))
        .OrderBy(answer => answer.Engine, StringComparer.Ordinal).ThenBy(answer => answer.CallKey, StringComparer.Ordinal);

    static string TopRivals(Evidence evidence, IReadOnlyList<EvidenceAnswer> answers) => string.Join(", ", answers
        .SelectMany(answer => answer.Mentions.Select(mention => mention.Brand).Where(brand => brand != evidence.Brand).Concat(answer.OtherBrands).Distinct(StringComparer.OrdinalIgnoreCase))
        .GroupBy(brand => brand, StringComparer.OrdinalIgnoreCase).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Take(3).Select(group => group.Key));

    static string Percent(Contracts.ScoreValue? score) => score is { Value: { } value, Low: { } low, High: { } high }
        ? string.Create(CultureInfo.InvariantCulture, $": visibility {value * 100:0.#} % (95 % interval {low * 100:0.#} to {high * 100:0.#} %)")
        : "";

    static string Short(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 79), "…");

    static Recommendation New(string title, string action, string query, string engine, string metric, IEnumerable<EvidenceAnswer> evidence) => new()
    {
        Title = title,
        Action = action,
        Query = query,
        Engine = engine.Length > 0 ? engine : null,
        Metric = metric,
        CallKeys = [.. evidence.Select(answer => answer.CallKey).Take(MaxEvidence)],
        Source = RecommendationSources.Rules,
    };
}
