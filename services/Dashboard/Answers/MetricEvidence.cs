using Assay.Contracts.Internal.Analyzer;

namespace Assay.Dashboard.Answers;

/// <summary>Which answers stand behind a metric. Pure; the rules are those of the definitions (docs/metrics.md).</summary>
static class MetricEvidence
{
    const double Recommended = 0.75;

    /// <summary>Null: the metric is not computed over this answer. Else whether it counts for it (names the brand, recommends it, cites it).</summary>
    public static bool? Counts(string metric, string brand, DescribedAnswer answer)
    {
        if (answer.Outcome != "valid")
            return null;
        var mentions = answer.Mentions.Where(mention => mention.Brand == brand).ToList();
        var named = mentions.Count > 0;
        if (metric == "falseMentionFloor")
            return answer.Control ? answer.FictitiousMentioned : null;
        if (answer.Control)
            return null;
        switch (metric)
        {
            case "visibilityBranded":
                return answer.Branded ? named : null;
            case "discoveryGap" or "stability":
                return named;
        }

        if (answer.Branded)
            return null;
        return metric switch
        {
            "averagePosition" or "contextCompleteness" => named ? true : null,
            "netSentiment" => named ? mentions.Exists(mention => mention.Sentiment != 0) : null,
            "top1" => mentions.Exists(mention => mention.Rank == 1),
            "top3" => mentions.Exists(mention => mention.Rank <= 3),
            "recommendationRate" => mentions.Exists(mention => mention.Recommendation >= Recommended),
            "citationRate" => answer.SearchOn ? answer.Citations.Any(citation => citation is { Cited: true, Category: "owned" }) : null,
            "geo" or "geoWordCount" => answer.Citations.Any(citation => citation.Cited) ? answer.Citations.Any(citation => citation is { Cited: true, Category: "owned" }) : null,
            _ => named,
        };
    }
}
