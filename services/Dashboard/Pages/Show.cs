using System.Globalization;
using System.Text;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Dashboard.Pages;

/// <summary>How numbers, times and foreign text are written, the same on every page and in every export.</summary>
static class Show
{
    public const string Nothing = "–";

    /// <summary>
    /// Foreign text as it is, with the characters that could make a reader see something else (bidi overrides, other controls) made visible.
    /// Razor encodes the rest.
    /// </summary>
    public static string Plain(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        if (!text.AsSpan().ContainsAny(Deceiving))
            return text;
        var result = new StringBuilder(text.Length + 16);
        foreach (var c in text)
            if (Deceiving.Contains(c))
                result.Append(CultureInfo.InvariantCulture, $"⟨U+{(int)c:X4}⟩");
            else
                result.Append(c);
        return result.ToString();
    }

    static readonly System.Buffers.SearchValues<char> Deceiving = System.Buffers.SearchValues.Create(
        "\u200E\u200F\u061C\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000B\u000C\u000E\u000F\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\u007F");

    public static string Short(string? text, int length = 60)
    {
        var plain = Plain(text).ReplaceLineEndings(" ");
        return plain.Length <= length ? plain : plain[..length].TrimEnd() + "…";
    }

    /// <summary>A count with its noun: "1 audit", "2 audits", "no audits" stays "0 audits".</summary>
    public static string Many(long count, string one, string? many = null) => $"{Number(count)} {(count == 1 ? one : many ?? one + "s")}";

    public static string Percent(double? value) => value is { } v ? (v * 100).ToString(Math.Abs(v) < 0.0995 && v != 0 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %" : Nothing;

    /// <summary>The interval of a share; never a bare 0 %: 0 of 45 still allows 7.9 %.</summary>
    public static string Range(ScoreValue? score) => score is { Low: { } low, High: { } high }
        ? $"{(low * 100).ToString("0", CultureInfo.InvariantCulture)}–{(high * 100).ToString("0", CultureInfo.InvariantCulture)} %"
        : "";

    public static string Value(string metric, double? value) => value is not { } v ? Nothing : UnitOf(metric) switch
    {
        Unit.Share => Percent(v),
        Unit.Signed => v.ToString("+0.00;−0.00;0.00", CultureInfo.InvariantCulture),
        Unit.Points => v.ToString("0.0", CultureInfo.InvariantCulture),
        _ => v.ToString("0.00", CultureInfo.InvariantCulture),
    };

    public static string Interval(string metric, ScoreValue? score) => score is not { Low: { } low, High: { } high } ? "" : $"{Value(metric, low)} to {Value(metric, high)}";

    /// <summary>A difference with its sign, in the metric's own unit.</summary>
    public static string Delta(string metric, double? value) => value is not { } v ? Nothing : UnitOf(metric) switch
    {
        Unit.Share => (v * 100).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) + " points",
        Unit.Points => v.ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture),
        _ => v.ToString("+0.00;−0.00;0.00", CultureInfo.InvariantCulture),
    };

    public enum Unit { Share, Ratio, Signed, Points, SignedPoints, Position }

    public static Unit UnitOf(string metric) => metric switch
    {
        "overall" => Unit.Points,
        "netSentiment" or "discoveryGap" or "kappa" => Unit.Signed,
        "pointsDifference" => Unit.SignedPoints,
        "averagePosition" => Unit.Position,
        "mrr" => Unit.Ratio,
        _ => Unit.Share,
    };

    /// <summary>Where a value lies on its scale, 0–1.</summary>
    public static double Position(string metric, double value) => Math.Clamp(UnitOf(metric) switch
    {
        Unit.Points => value / 100,
        Unit.Signed => (value + 1) / 2,
        Unit.SignedPoints => (value + 100) / 200,
        Unit.Position => value / 10,
        _ => value,
    }, 0, 1);

    public static string MetricName(string metric) => Metrics.Find(metric)?.Name ?? metric;

    public static string Usd(decimal amount) => amount == 0 ? "$0" : "$" + amount.ToString(Math.Abs(amount) < 0.01m ? "0.000000" : Math.Abs(amount) < 1 ? "0.0000" : "#,0.00", CultureInfo.InvariantCulture);

    public static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', ' ');

    public static string Time(DateTime? at) => at is { } t ? t.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC" : Nothing;

    public static string Clock(DateTime at) => at.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Iso(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Span(TimeSpan span) => span < TimeSpan.Zero ? "0 s"
        : span.TotalSeconds < 1 ? $"{span.TotalMilliseconds:0} ms"
        : span.TotalSeconds < 90 ? $"{span.TotalSeconds:0} s"
        : span.TotalMinutes < 90 ? $"{span.TotalMinutes:0} min"
        : span.TotalHours < 36 ? $"{span.TotalHours:0} h"
        : $"{span.TotalDays:0} d";

    /// <summary>An id's end: ids of one minute begin alike.</summary>
    public static string Short(Guid id) => "…" + id.ToString()[^8..];

    /// <summary>A state's colour class; the word itself is always beside it.</summary>
    public static string Tone(string status) => status switch
    {
        AuditStates.Completed or "valid" or "ready" => "good",
        AuditStates.Failed or "declined" or "empty" => "bad",
        AuditStates.Cancelled or AuditStates.Rejected or "refused" => "muted",
        "inDoubt" => "warn",
        _ => "live",
    };

    /// <summary>A recommendation strength in words with its number.</summary>
    public static string Strength(double strength) => strength switch
    {
        0 => "0 · absent",
        <= 0.25 => "0.25 · in passing",
        <= 0.5 => "0.5 · listed",
        <= 0.75 => "0.75 · recommended",
        _ => "1 · top pick",
    };

    public static string Tone(int sentiment) => sentiment > 0 ? "+ positive" : sentiment < 0 ? "− negative" : "0 neutral";

    public static string Outcome(string outcome) => outcome == "inDoubt" ? "in doubt" : outcome;

    public static string Coverage(CoverageCounts coverage) => coverage.Planned == 0 ? Nothing : $"{coverage.Valid} of {coverage.Planned}";
}

/// <summary>What a metric means, for pages and exports.</summary>
sealed record Metric(string Key, string Name, string Unit, string Meaning);

static class Metrics
{
    public static readonly IReadOnlyList<Metric> All =
    [
        new("visibility", "Visibility", "share of valid answers, macro average by query", "How often the brand is named in valid answers to unbranded queries: per query the share of answers that mention it, averaged over queries."),
        new("overall", "Overall", "0–100", "40 % visibility, 20 % reciprocal rank, 20 % recommendation rate, 10 % citation rate, 10 % visibility weighted by sentiment. A missing part gives its weight to the others. The weights are ours, published with the version; never read it alone."),
        new("shareOfVoice", "Share of voice", "share among brand and tracked competitors", "Answers that name the brand, divided by the sum over brand and tracked competitors of answers that name each."),
        new("shareOfVoiceOpen", "Share of voice (open)", "share among all detected brands", "The same over every brand that was detected, tracked or not."),
        new("shareOfVoiceProminence", "Share of voice (prominence)", "share, weighted by 1 / rank", "Each mention counts by its position: the first brand named counts full, the second half, the third a third."),
        new("mrr", "Reciprocal rank (MRR)", "0–1", "Mean of 1 / rank over valid answers, 0 where the brand is absent."),
        new("averagePosition", "Average position", "rank, where mentioned", "Mean rank in the answers that name the brand; 1 is first."),
        new("top1", "First place rate", "share of valid answers", "Answers in which the brand is named first."),
        new("top3", "Top three rate", "share of valid answers", "Answers in which the brand is among the first three."),
        new("recommendationRate", "Recommendation rate", "share of valid answers", "Answers that recommend the brand (strength 0.75 or more). A mention alone is no recommendation."),
        new("citationRate", "Citation rate", "share of valid answers made with search", "Answers that cite the brand's own domain. Nothing to measure where no engine searched."),
        new("netSentiment", "Net sentiment", "−1 to +1", "Positive minus negative clauses about the brand, divided by all such clauses; nothing below 10 clauses."),
        new("visibilityBranded", "Visibility, branded queries", "share of valid answers, macro average by query", "The same over queries that name the brand or a tracked competitor; reported apart, outside every other number."),
        new("discoveryGap", "Discovery gap", "−1 to +1", "Visibility in branded queries minus visibility in unbranded ones."),
        new("stability", "Stability", "0–1", "How alike the sets of brands are in repeated answers to one query (mean pairwise Jaccard)."),
        new("contextCompleteness", "Context completeness", "share, heuristic", "How many of the brand's configured facts are present and sourced. A transparent heuristic, outside the overall score."),
        new("pawc", "Position-adjusted share", "share, heuristic", "Share of words in sentences that name the brand, weighted by how early they stand; our extension to brands."),
        new("geo", "GEO impression", "share among cited sources", "Position-adjusted word count of sentences that cite the brand's domain (KDD 2024, arXiv 2311.09735); nothing without citations."),
        new("geoWordCount", "GEO impression (word count)", "share among cited sources", "The same without the weight of position."),
        new("falseMentionFloor", "False-mention floor", "share of control answers", "How often a fictitious brand was 'mentioned': what the detector reports when there is nothing to find."),
    ];

    /// <summary>The numbers a page starts with.</summary>
    public static readonly IReadOnlyList<string> Headline = ["visibility", "shareOfVoice", "mrr", "recommendationRate", "citationRate", "netSentiment", "overall"];

    public static Metric? Find(string key) => All.FirstOrDefault(metric => metric.Key == key);
}
