using System.Text.Json;
using Assay.Analyzer.Advisor;
using Assay.Analyzer.PlanQueries;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.DraftInsights;

/// <summary>A checked insight, or the complaint that rejects it.</summary>
sealed record CheckedInsight(Insight? Insight, IReadOnlyList<Recommendation> Recommendations, string? Complaint);

/// <summary>Holds an advisor's answer against the audit: what it cites must exist, what it counts must have been counted.</summary>
static class InsightCheck
{
    const int MaxTitle = 160;
    const int MaxText = 3000;
    const int MaxReferences = 60;
    const int MaxRecommendations = 10;

    /// <param name="below">The available insights of the layers below; empty for layer 1.</param>
    public static CheckedInsight Check(InsightTheme theme, string? answer, Evidence evidence, IReadOnlyList<Insight> below)
    {
        using var document = AdvisorAnswer.Parse(answer);
        if (document is null)
            return Rejected("it was not a JSON object.");
        var root = document.RootElement;
        var title = QueryPlanner.Clean(AdvisorAnswer.Text(root, "title") ?? "");
        var text = QueryPlanner.Clean(AdvisorAnswer.Text(root, "text") ?? "");
        if (title.Length is 0 or > MaxTitle)
            return Rejected($"\"title\" must be a text of 1 to {MaxTitle} characters.");
        if (text.Length is 0 or > MaxText)
            return Rejected($"\"text\" must be a text of 1 to {MaxText} characters.");

        var shown = InsightPrompt.Shown(theme, evidence, below);
        var aliases = EvidenceIndex.Of(evidence).Aliases;
        var (cited, citedComplaint) = References(root, "evidence", aliases.Full, "answer of this audit");
        if (citedComplaint is not null)
            return Rejected(citedComplaint);
        if (theme.Layer == 1 && cited.Count == 0 && shown.Count > 0)
            return Rejected("\"evidence\" names no answer.");

        var (rests, restsComplaint) = theme.Layer == 1 ? ([], null) : References(root, "insights", said => below.Any(i => i.InsightId == said) ? said : null, "finding of the input");
        if (restsComplaint is not null)
            return Rejected(restsComplaint);
        if (theme.Layer > 1 && rests.Count == 0)
            return Rejected("\"insights\" names no finding.");

        var numbers = StatedNumbers.Of(evidence, shown, below);
        if ((numbers.FirstForeign(title) ?? numbers.FirstForeign(text)) is { } foreign)
            return Rejected($"it states the number {foreign}, which the scores do not hold.");

        var insight = new Insight
        {
            InsightId = theme.InsightId,
            Layer = theme.Layer,
            Theme = theme.Key,
            Title = title,
            Text = text,
            Available = true,
            CallKeys = cited,
            InsightIds = rests,
        };
        return new(insight, theme.Layer == 3 ? Actions(root, evidence, aliases, numbers) : [], null);
    }

    public static Insight Unavailable(InsightTheme theme, string reason) => new()
    {
        InsightId = theme.InsightId,
        Layer = theme.Layer,
        Theme = theme.Key,
        Title = theme.Title,
        Text = "",
        Available = false,
        Reason = reason,
        CallKeys = [],
        InsightIds = [],
    };

    static CheckedInsight Rejected(string complaint) => new(null, [], complaint);

    static (IReadOnlyList<string> Known, string? Complaint) References(JsonElement element, string name, Func<string, string?> meant, string what)
    {
        if (AdvisorAnswer.Texts(element, name) is not { } references)
            return ([], $"\"{name}\" must be a list of texts.");
        var distinct = references.Distinct(StringComparer.Ordinal).ToList();
        if (distinct.Count > MaxReferences)
            return ([], $"\"{name}\" has {distinct.Count} entries; at most {MaxReferences}.");
        return distinct.Find(reference => meant(reference) is null) is { } foreign
            ? ([], $"\"{name}\" holds '{InsightPrompt.Short(foreign, 80)}', which is no {what}.")
            : ([.. distinct.Select(meant).OfType<string>().Distinct(StringComparer.Ordinal)], null);
    }

    /// <summary>The actions that name an existing query, engine, metric and evidence. A bad one is left out: rules fill up what is missing.</summary>
    static IReadOnlyList<Recommendation> Actions(JsonElement root, Evidence evidence, CallAliases aliases, StatedNumbers numbers)
    {
        if (!root.TryGetProperty("recommendations", out var list) || list.ValueKind != JsonValueKind.Array)
            return [];
        var result = new List<Recommendation>();
        foreach (var item in list.EnumerateArray().Take(MaxRecommendations))
        {
            var title = QueryPlanner.Clean(AdvisorAnswer.Text(item, "title") ?? "");
            var action = QueryPlanner.Clean(AdvisorAnswer.Text(item, "action") ?? "");
            var query = evidence.Scores.Queries.FirstOrDefault(q => Names(q.Query, AdvisorAnswer.Text(item, "query")));
            var engine = evidence.Scores.Engines.FirstOrDefault(e => Same(e.Name, AdvisorAnswer.Text(item, "engine")));
            var metric = evidence.Scores.Scores.Keys.FirstOrDefault(m => Same(m, AdvisorAnswer.Text(item, "metric")));
            if (title.Length is 0 or > MaxTitle || action.Length is 0 or > MaxText || query is null || engine is null || metric is null)
                continue;
            var (cited, complaint) = item.ValueKind == JsonValueKind.Object ? References(item, "evidence", aliases.Full, "answer of this audit") : ([], "not an object");
            if (complaint is not null || cited.Count == 0 || numbers.FirstForeign(title) is not null || numbers.FirstForeign(action) is not null)
                continue;
            result.Add(new()
            {
                Title = title,
                Action = action,
                Query = query.Query,
                Engine = engine.Name,
                Metric = metric,
                CallKeys = cited,
                Source = RecommendationSources.Advisor,
            });
        }

        return result;
    }

    static bool Same(string known, string? said) => said is not null && string.Equals(QueryPlanner.Clean(known), QueryPlanner.Clean(said), StringComparison.OrdinalIgnoreCase);

    /// <summary>A long query is shown shortened; its beginning names it.</summary>
    static bool Names(string query, string? said) =>
        Same(query, said) || said is { Length: > 60 } && said.EndsWith('…') && query.StartsWith(said[..^1], StringComparison.OrdinalIgnoreCase);
}
