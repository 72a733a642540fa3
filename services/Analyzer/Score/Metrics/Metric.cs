using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.Score.Metrics;

/// <summary>The names of the metrics, as they stand in a report (METRICS.md has the definitions).</summary>
internal static class Metric
{
    public const string Version = MetricsVersions.V1;

    public const string Visibility = "visibility";
    public const string ShareOfVoice = "shareOfVoice";
    public const string ShareOfVoiceOpen = "shareOfVoiceOpen";
    public const string ShareOfVoiceProminence = "shareOfVoiceProminence";
    public const string AvgPosition = "avgPosition";
    public const string Mrr = "mrr";
    public const string Top1 = "top1";
    public const string Top3 = "top3";
    public const string RecommendationRate = "recommendationRate";
    public const string CitationRate = "citationRate";
    public const string NetSentiment = "netSentiment";
    public const string ContextCompleteness = "contextCompleteness";
    public const string BrandPawc = "brandPawc";
    public const string Geo = "geo";
    public const string GeoWordCount = "geoWordCount";
    public const string Overall = "overall";

    /// <summary>Every metric a brand has in a scope, in the order of the sums' evaluation.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Visibility, ShareOfVoice, ShareOfVoiceOpen, ShareOfVoiceProminence, AvgPosition, Mrr, Top1, Top3, RecommendationRate, CitationRate,
        NetSentiment, ContextCompleteness, BrandPawc, Geo, GeoWordCount, Overall,
    ];
}
