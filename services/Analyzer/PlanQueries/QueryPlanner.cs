using System.Globalization;
using System.Text;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.PlanQueries;

/// <summary>Decides panels. Pure: the same request and the same advice always give the same panel.</summary>
static class QueryPlanner
{
    public const string Version = "planner-v3";

    /// <summary>The shortest and longest text of a planned query; given ones are used as they are.</summary>
    public const int MinLength = 8;

    public const int MaxLength = 240;

    /// <summary>Branded queries do not enter the headline metrics, so a planned panel holds at most this share of them.</summary>
    const double MaxBrandedShare = 0.2;

    /// <summary>The request's own queries, verbatim, once each; the control query only where the request opts in.</summary>
    public static IReadOnlyList<PlannedQuery> Given(RequestAudit request, Func<string, bool> namesTrackedBrand)
    {
        var texts = (request.Queries ?? []).DistinctBy(text => text.Trim(), StringComparer.Ordinal).ToList();
        var control = request.Control ? Control(request, namesTrackedBrand) : null;
        return Number(texts.Select(text => (text, QueryCategories.Given)), control, namesTrackedBrand);
    }

    /// <summary>
    /// A panel of the requested size where the wording suffices – the advisor's usable queries first, filled up from the
    /// templates over all categories – and one control query besides, as the quote counts it.
    /// </summary>
    public static Panel Plan(RequestAudit request, IReadOnlyList<CandidateQuery> advice, Func<string, bool> namesTrackedBrand)
    {
        var topic = TopicOf(request);
        var count = request.QueryCount ?? 0;
        var control = QueryTemplates.Speaks(topic.Language) ? Control(request, namesTrackedBrand) : null;
        var chosen = new Selection(count, namesTrackedBrand);
        if (control is not null)
            chosen.Reserve(control);

        foreach (var candidate in advice)
            chosen.Offer(candidate);
        var advised = chosen.Count;
        if (QueryTemplates.Speaks(topic.Language))
        {
            foreach (var candidate in QueryTemplates.For(topic))
            {
                if (chosen.IsFull)
                    break;
                chosen.Offer(candidate);
            }
        }

        var source = advised > 0 ? PlanSources.Advisor : PlanSources.Templates;
        if (chosen.Count == 0)
            return new(source, [], advised);
        var queries = Number(chosen.InOrder().Select(query => (query.Text, query.Category)), control, namesTrackedBrand);
        return new(source, request.Runs <= 1 ? queries : [.. queries.Select(query => query with { Paraphrases = chosen.ParaphrasesOf(query, topic.Language, request.Runs - 1) })], advised);
    }

    /// <summary>What templates and advisor are told the panel is about.</summary>
    public static PanelTopic TopicOf(RequestAudit request)
    {
        var features = (request.Brand.Features ?? []).Select(Clean).Where(text => text.Length > 0).ToList();
        var industry = Clean(request.Brand.Industry ?? "");
        return new(
            Language(request.Locale),
            industry.Length > 0 ? industry : features.Count > 0 ? features[0] : "products",
            Clean(request.Brand.Name),
            [.. (request.Competitors ?? []).Select(competitor => Clean(competitor.Name))],
            features);
    }

    /// <summary>What a person should know and can do where no query could be planned.</summary>
    public static string WhyNothing(RequestAudit request) => QueryTemplates.Speaks(Language(request.Locale))
        ? $"No query could be planned for {request.Brand.Name} in {request.Locale}. Give queries of your own, or an industry to plan for."
        : $"No query could be planned for {request.Brand.Name}: there is no built-in wording in the language of {request.Locale} (there is in {string.Join(", ", QueryTemplates.Languages)}), and no usable query came from an advisor. Give queries of your own, or configure the engine advisor.";

    /// <summary>The primary subtag of a BCP 47 tag, lower case.</summary>
    public static string Language(string locale) => locale.Split('-', '_')[0].ToLowerInvariant();

    /// <summary>A name that no brand bears, the same for the same audit subject, and never a tracked one.</summary>
    public static string FictitiousBrand(RequestAudit request, Func<string, bool> namesTrackedBrand)
    {
        string[] first = ["Vel", "Quo", "Zan", "Bri", "Or", "Tal", "Mir", "Dro", "Fen", "Lux"];
        string[] middle = ["mo", "ri", "va", "zi", "no", "du", "pe", "ka"];
        string[] last = ["rath", "quist", "vane", "dorn", "lith", "zen", "mark", "thora"];
        var hash = Fnv(request.Brand.Name + "|" + request.Brand.Industry);
        for (var i = 0u; ; i++)
        {
            var n = hash + i;
            var name = first[n % 10] + middle[n / 10 % 8] + last[n / 80 % 8];
            if (!namesTrackedBrand(name))
                return name;
        }
    }

    static string Control(RequestAudit request, Func<string, bool> namesTrackedBrand) =>
        QueryTemplates.ControlQuery(TopicOf(request), FictitiousBrand(request, namesTrackedBrand));

    static IReadOnlyList<PlannedQuery> Number(IEnumerable<(string Text, string Category)> queries, string? control, Func<string, bool> namesTrackedBrand)
    {
        var result = queries.Select((query, i) => new PlannedQuery
        {
            QueryId = Id(i + 1),
            Text = query.Text,
            Category = query.Category,
            Branded = namesTrackedBrand(query.Text),
            Control = false,
        }).ToList();
        if (control is not null && !result.Exists(query => string.Equals(query.Text, control, StringComparison.OrdinalIgnoreCase)))
            result.Add(new() { QueryId = Id(result.Count + 1), Text = control, Category = QueryCategories.Control, Branded = false, Control = true });
        return result;
    }

    static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"q{number:000}");

    /// <summary>One line without control characters and runs of spaces.</summary>
    internal static string Clean(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
            {
                if (result.Length > 0 && result[^1] != ' ')
                    result.Append(' ');
            }
            else if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned))
                result.Append(rune.ToString());
        }

        return result.ToString().Trim();
    }

    static uint Fnv(string text)
    {
        var hash = 2166136261u;
        foreach (var b in Encoding.UTF8.GetBytes(text))
            hash = unchecked((hash ^ b) * 16777619u);
        return hash;
    }

    /// <summary>Takes candidates that pass every check until the panel is full.</summary>
    sealed class Selection(int wanted, Func<string, bool> namesTrackedBrand)
    {
        readonly List<CandidateQuery> queries = [];
        readonly HashSet<string> seen = new(StringComparer.Ordinal);
        int branded;

        public int Count => queries.Count;
        public bool IsFull => queries.Count >= wanted;

        public void Reserve(string text) => seen.Add(Identity(text));

        public void Offer(CandidateQuery candidate)
        {
            if (IsFull)
                return;
            var text = Clean(candidate.Text);
            if (text.Length is < MinLength or > MaxLength || !text.Any(char.IsLetter) || QueryCategories.OrderOf(candidate.Category) < 0)
                return;
            var namesBrand = namesTrackedBrand(text);
            if (namesBrand && (!QueryCategories.MayNameBrands.Contains(candidate.Category) || branded >= Math.Floor(wanted * MaxBrandedShare)))
                return;
            if (!seen.Add(Identity(text)))
                return;
            queries.Add(candidate with { Text = text });
            if (namesBrand)
                branded++;
        }

        /// <summary>By category in the fixed order, so that a reader finds his way; the offer's order inside one.</summary>
        public IEnumerable<CandidateQuery> InOrder() =>
            queries.OrderBy(query => QueryCategories.OrderOf(query.Category));

        /// <summary>Wordings for the further runs: the candidate's own where they pass the checks, then the templates'.</summary>
        public IReadOnlyList<string> ParaphrasesOf(PlannedQuery query, string language, int count)
        {
            var own = queries.Find(candidate => string.Equals(candidate.Text, query.Text, StringComparison.Ordinal))?.Paraphrases ?? [];
            var result = new List<string>(count);
            foreach (var paraphrase in own.Concat(QueryTemplates.Paraphrases(language, query.Text)))
            {
                if (result.Count == count)
                    break;
                var text = Clean(paraphrase);
                // A wording that names a brand where the query does not would measure something else.
                if (text.Length is >= MinLength and <= 2 * MaxLength && text.Any(char.IsLetter) && namesTrackedBrand(text) == query.Branded && seen.Add(Identity(text)))
                    result.Add(text);
            }

            return result;
        }

        /// <summary>Two wordings that differ in case, spaces or punctuation only are one question.</summary>
        static string Identity(string text) =>
            string.Concat(text.Normalize(NormalizationForm.FormKC).ToUpperInvariant().Where(char.IsLetterOrDigit));
    }
}

/// <summary>Where a panel comes from.</summary>
static class PlanSources
{
    public const string Given = "given";
    public const string Templates = "templates";
    public const string Advisor = "advisor";
}

/// <summary>A decided panel.</summary>
/// <param name="Advised">How many of its queries the advisor wrote.</param>
sealed record Panel(string Source, IReadOnlyList<PlannedQuery> Queries, int Advised);
