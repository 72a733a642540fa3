using System.Globalization;
using System.Text.RegularExpressions;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.DraftInsights;

/// <summary>The numbers an insight may state: those of the scores, counts of the answers it was shown, and those that stand in names and queries.</summary>
sealed partial class StatedNumbers
{
    readonly StatedNumbers? audit;
    readonly List<double> values = [];
    readonly HashSet<string> literals = new(StringComparer.Ordinal);

    StatedNumbers(StatedNumbers? audit) => this.audit = audit;

    /// <summary>Those of the audit and those of what one insight was shown.</summary>
    public static StatedNumbers Of(Evidence evidence, IReadOnlyList<EvidenceAnswer> shown, IReadOnlyList<Insight> below)
    {
        var numbers = new StatedNumbers(EvidenceIndex.Of(evidence).Numbers);
        // An insight may count the answers it was shown.
        numbers.Add(shown.Count, shown.Count(answer => answer.MentionsBrand), shown.Count(answer => !answer.MentionsBrand));
        foreach (var insight in below)
            numbers.AddLiterals(insight.InsightId);
        return numbers;
    }

    /// <summary>Those that every insight of the audit may state.</summary>
    public static StatedNumbers Of(Evidence evidence)
    {
        var numbers = new StatedNumbers(audit: null);
        var scores = evidence.Scores;
        numbers.Add(scores.Scores.Values);
        foreach (var group in scores.Engines.Concat(scores.Categories))
        {
            numbers.Add(group.Scores.Values);
            numbers.Add(group.Coverage.Planned, group.Coverage.Valid, group.Coverage.Declined, group.Coverage.Refused, group.Coverage.Empty, group.Coverage.InDoubt, group.Coverage.Reused);
        }

        foreach (var competitor in scores.Competitors)
        {
            numbers.Add(competitor.Scores.Values);
            numbers.Add([competitor.Difference]);
        }

        foreach (var query in scores.Queries)
        {
            numbers.Add([query.Visibility]);
            numbers.Add(query.ValidAnswers, query.Mentions);
            numbers.AddLiterals(query.Query);
        }

        var coverage = scores.Coverage;
        numbers.Add(coverage.Planned, coverage.Valid, coverage.Declined, coverage.Refused, coverage.Empty, coverage.InDoubt, coverage.Reused);
        numbers.Add(scores.Queries.Count, scores.Queries.Count(q => q.Branded), scores.Queries.Count(q => !q.Branded), scores.Engines.Count, scores.Competitors.Count, scores.Categories.Count);
        foreach (var count in coverage.Reasons.Values)
            numbers.Add(count);
        // "95 % interval", "top 3", "scores from 0 to 100" are names of things, not findings.
        numbers.literals.UnionWith(["95", "0", "100", "1", "3"]);
        foreach (var name in (string[])[evidence.Brand, .. evidence.Competitors, .. scores.Engines.SelectMany(e => new[] { e.Name, e.Model ?? "" }), .. evidence.Answers.SelectMany(a => a.OtherBrands), .. evidence.Answers.SelectMany(a => a.Domains)])
            numbers.AddLiterals(name);
        return numbers;
    }

    /// <summary>The first number of a text that nothing in the audit holds; null if all of them are held.</summary>
    public string? FirstForeign(string text)
    {
        foreach (Match match in Number().Matches(text))
        {
            if (!Holds(match.Value) && audit?.Holds(match.Value) != true)
                return match.Value;
        }

        return null;
    }

    bool Holds(string text)
    {
        if (literals.Contains(text))
            return true;
        var separators = text.Count(c => c is ',' or '.');
        // 1,234 may be a thousand or a decimal comma: either reading may be held.
        string[] readings = separators == 0 ? [text] : [text.Replace(",", "", StringComparison.Ordinal), text.Replace(',', '.')];
        foreach (var reading in readings)
        {
            if (!double.TryParse(reading, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                continue;
            var decimals = reading.Contains('.') ? reading.Length - reading.IndexOf('.') - 1 : 0;
            // Rounded or cut to the digits shown: off by less than one unit of the last.
            var tolerance = Math.Pow(10, -decimals) * (decimals == 0 ? 0.5 : 0.999) + 1e-9;
            if (values.Exists(value => Math.Abs(value - number) <= (IsWhole(value) ? 1e-9 : tolerance) || Math.Abs(value * 100 - number) <= tolerance && value is > 0 and <= 1))
                return true;
        }

        return false;
    }

    static bool IsWhole(double value) => Math.Abs(value - Math.Round(value)) < 1e-9;

    void Add(IEnumerable<ScoreValue> scores)
    {
        foreach (var score in scores)
        {
            foreach (var value in (double?[])[score.Value, score.Low, score.High])
            {
                if (value is { } v && double.IsFinite(v))
                    values.Add(Math.Abs(v));
            }

            values.Add(score.N);
        }
    }

    void Add(params ReadOnlySpan<int> counts)
    {
        foreach (var count in counts)
            values.Add(count);
    }

    void AddLiterals(string text)
    {
        foreach (Match match in Number().Matches(text))
            literals.Add(match.Value);
    }

    [GeneratedRegex(@"\d+(?:[.,]\d+)*", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();
}
