using System.Globalization;
using Assay.Contracts;

namespace Assay.Embedded.Cli;

/// <summary>How numbers are written for a reader.</summary>
static class Show
{
    /// <summary>Metrics that are no fraction 0–1 to be written as per cent.</summary>
    static readonly HashSet<string> Plain = new(StringComparer.Ordinal) { "mrr", "netSentiment", "averagePosition", "discoveryGap", "stability" };

    public static string Usd(decimal? usd) => usd is not { } value ? "$0" : value switch
    {
        0 => "$0",
        _ => "$" + value.ToString(Math.Abs(value) < 1 ? "0.00####" : "#,0.00", CultureInfo.InvariantCulture),
    };

    public static string Score(string metric, double? value) => value is not { } v ? "–" : metric switch
    {
        "overall" => v.ToString("0.0", CultureInfo.InvariantCulture),
        _ when Plain.Contains(metric) => v.ToString("0.00", CultureInfo.InvariantCulture),
        _ => (v * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %",
    };

    /// <summary>A value never stands without its interval: 0 of 45 still allows 8 %.</summary>
    public static string Interval(string metric, ScoreValue score) =>
        score.Low is null || score.High is null ? "" : $"{Score(metric, score.Low)} to {Score(metric, score.High)}";

    public static string Time(DateTime? utc) => utc is { } at ? at.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "–";

    public static string Duration(TimeSpan time) => time.TotalSeconds < 60
        ? time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s"
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s");

    public static string Count(int number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>The words of a metric's name: <c>shareOfVoice</c> → <c>share of voice</c>.</summary>
    public static string Metric(string name) => name switch
    {
        "mrr" => "mean reciprocal rank",
        "geo" => "GEO impression",
        "pawc" => "position-adjusted share",
        _ => string.Concat(name.Select(c => char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c.ToString())),
    };
}
