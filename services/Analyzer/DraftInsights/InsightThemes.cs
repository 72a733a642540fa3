using System.Globalization;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.DraftInsights;

/// <summary>One thing to be found out: its instruction and the answers that bear on it.</summary>
/// <param name="InsightId">For example <c>L1-07</c>.</param>
/// <param name="Key">Machine name, for example <c>weakest-queries</c>.</param>
/// <param name="Instruction">What the advisor is to write.</param>
/// <param name="Metrics">The metrics it may speak about.</param>
/// <param name="Select">The answers it is shown, most telling first.</param>
sealed record InsightTheme(
    string InsightId, int Layer, string Key, string Title, string Instruction, IReadOnlyList<string> Metrics, Func<Evidence, IEnumerable<EvidenceAnswer>> Select);

/// <summary>What an audit has to show: its scores and its valid answers.</summary>
sealed record Evidence(string Brand, IReadOnlyList<string> Competitors, string Locale, AuditScored Scores, IReadOnlyList<EvidenceAnswer> Answers)
{
    public IEnumerable<EvidenceAnswer> Unbranded => Answers.Where(answer => !answer.Branded && !answer.Control);

    /// <summary>Visibility of a query; null without a valid answer.</summary>
    public double? VisibilityOf(string queryId) => Scores.Queries.FirstOrDefault(query => query.QueryId == queryId)?.Visibility.Value;
}

/// <summary>The fixed list: 18 findings, 3 syntheses, 1 summary. The number of advisor calls of an audit follows from it.</summary>
static class InsightThemes
{
    public static IReadOnlyList<InsightTheme> Of(int layer) => layer switch
    {
        1 => Findings,
        2 => Syntheses,
        3 => Summary,
        _ => throw new ArgumentOutOfRangeException(nameof(layer), layer, "Insights have the layers 1, 2 and 3."),
    };

    static readonly IReadOnlyList<InsightTheme> Findings = Number(1,
    [
        ("visibility-overview", "Visibility overview", "How visible the brand is in answers to unbranded queries, with the interval, and what that means for a buyer's first impression.",
            ["visibility", "overall", "mrr"], e => e.Unbranded.OrderByDescending(a => a.MentionsBrand)),
        ("engine-differences", "Differences between engines", "Which engines name the brand more and which less, and what the answers themselves show as the difference.",
            ["visibility", "recommendationRate"], e => Alternate(e.Unbranded, a => a.Engine)),
        ("strongest-queries", "Strongest queries", "On which unbranded queries the brand does best, and what the answers praise there.",
            ["visibility"], e => e.Unbranded.Where(a => a.MentionsBrand).OrderByDescending(a => e.VisibilityOf(a.QueryId))),
        ("weakest-queries", "Weakest queries", "On which unbranded queries the brand is missing, and whom the answers name instead.",
            ["visibility"], e => e.Unbranded.Where(a => !a.MentionsBrand).OrderBy(a => e.VisibilityOf(a.QueryId))),
        ("competitor-ahead", "Competitors ahead", "Which competitors are named more often than the brand, whether the difference is detectable, and where.",
            ["visibility", "shareOfVoice"], e => e.Unbranded.Where(a => a.Mentions.Any(m => m.Brand != e.Brand)).OrderBy(a => a.MentionsBrand)),
        ("share-of-voice", "Share of voice", "The brand's share among tracked brands and among all detected brands, and how prominence changes it.",
            ["shareOfVoice", "shareOfVoiceOpen", "shareOfVoiceProminence"], e => e.Unbranded.OrderByDescending(a => a.Mentions.Count)),
        ("praise", "What is praised", "What positive clauses about the brand say, in the answers' own terms.",
            ["netSentiment"], e => e.Answers.Where(a => a.Own is { Sentiment: > 0 })),
        ("criticism", "What is criticised", "What negative or reserved clauses about the brand say, in the answers' own terms.",
            ["netSentiment"], e => e.Answers.Where(a => a.Own is { Sentiment: < 0 }).Concat(e.Answers.Where(a => a.Own is { Sentiment: 0 }))),
        ("owned-citations", "Owned citations", "How often answers cite the brand's own domain and for what.",
            ["citationRate"], e => e.Answers.OrderByDescending(a => a.CitesOwned).ThenByDescending(a => a.Domains.Count)),
        ("third-party-sources", "Third-party sources", "Which outside sources the answers rest on, and which of them would be worth winning over.",
            ["citationRate"], e => e.Answers.Where(a => a.Domains.Count > 0).OrderBy(a => a.MentionsBrand)),
        ("list-position", "Position in lists", "Where the brand stands when answers list several, and who stands before it.",
            ["averagePosition", "mrr", "top1", "top3"], e => e.Unbranded.Where(a => a.Own?.Rank is not null).OrderByDescending(a => a.Own!.Rank)),
        ("recommendation-strength", "Strength of recommendation", "Whether answers merely name the brand or recommend it, and where the two part.",
            ["recommendationRate", "visibility"], e => e.Unbranded.Where(a => a.MentionsBrand).OrderBy(a => a.Own!.Recommendation)),
        ("features", "Features named", "Which of the brand's key features the answers name and which they never do.",
            ["contextCompleteness"], e => e.Answers.Where(a => a.MentionsBrand).OrderByDescending(a => a.Features.Count)),
        ("absence-patterns", "Patterns of absence", "What the queries without the brand have in common: category, wording, kind of buyer.",
            ["visibility"], e => Alternate(e.Unbranded.Where(a => !a.MentionsBrand), a => a.Category)),
        ("category-differences", "Differences between query categories", "In which categories of queries the brand is strong or weak.",
            ["visibility", "recommendationRate"], e => Alternate(e.Unbranded, a => a.Category)),
        ("discovery-gap", "Branded and unbranded queries", "How far visibility falls when the buyer does not name the brand.",
            ["discoveryGap", "visibility"], e => e.Answers.Where(a => a.Branded).Take(6).Concat(e.Unbranded.Where(a => !a.MentionsBrand))),
        ("consistency", "Consistency of answers", "How alike repeated answers to one query are, between runs and engines, and what that means for single observations.",
            ["stability"], e => e.Answers.GroupBy(a => a.QueryId).OrderByDescending(g => g.Select(a => a.MentionsBrand).Distinct().Count()).SelectMany(g => g)),
        ("data-quality", "Quality of the data", "How far the audit can be trusted: coverage, refusals, empty answers, the control query, the width of the intervals.",
            ["visibility", "falseMentionFloor"], e => e.Answers.OrderByDescending(a => a.Control)),
    ]);

    static readonly IReadOnlyList<InsightTheme> Syntheses = Number(2,
    [
        ("strengths", "Strengths", "What the brand can build on in AI answers: combine the findings, weigh them by their evidence, name queries and engines.",
            ["visibility", "shareOfVoice", "recommendationRate", "netSentiment"], e => e.Unbranded.Where(a => a.Own is { Recommendation: >= 0.75 })),
        ("weaknesses", "Weaknesses", "Where the brand loses buyers in AI answers and to whom: combine the findings, weigh them by their evidence.",
            ["visibility", "shareOfVoice", "averagePosition", "citationRate"], e => e.Unbranded.Where(a => !a.MentionsBrand)),
        ("opportunities", "Opportunities", "Which changes promise most: queries, sources and engines where a small step would be seen.",
            ["visibility", "citationRate", "recommendationRate"], e => e.Unbranded.OrderBy(a => a.MentionsBrand).ThenByDescending(a => a.Domains.Count)),
    ]);

    static readonly IReadOnlyList<InsightTheme> Summary = Number(3,
    [
        ("executive-summary", "Executive summary", "What a decision maker must know on one page, and at least three recommended actions, each naming one query, one engine, the answers it rests on and the metric it should move.",
            ["overall", "visibility", "shareOfVoice", "mrr", "recommendationRate", "citationRate", "netSentiment"], e => e.Unbranded.OrderBy(a => a.MentionsBrand)),
    ]);

    static IReadOnlyList<InsightTheme> Number(
        int layer, IReadOnlyList<(string Key, string Title, string Instruction, IReadOnlyList<string> Metrics, Func<Evidence, IEnumerable<EvidenceAnswer>> Select)> themes) =>
        [.. themes.Select((theme, i) => new InsightTheme(
            string.Create(CultureInfo.InvariantCulture, $"L{layer}-{i + 1:00}"), layer, theme.Key, theme.Title, theme.Instruction, theme.Metrics, theme.Select))];

    /// <summary>One of each group in turn, so that no group fills the page.</summary>
    static IEnumerable<EvidenceAnswer> Alternate(IEnumerable<EvidenceAnswer> answers, Func<EvidenceAnswer, string> by) =>
        answers.GroupBy(by, StringComparer.Ordinal).SelectMany(group => group.Select((answer, i) => (answer, i))).OrderBy(pair => pair.i).Select(pair => pair.answer);
}
