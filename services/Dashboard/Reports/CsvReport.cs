using System.Globalization;
using System.Text;
using Assay.Dashboard.Pages;

namespace Assay.Dashboard.Reports;

/// <summary>One line per planned call. Text cells cannot become formulas in a spreadsheet.</summary>
static class CsvReport
{
    static readonly string[] Header =
    [
        "auditId", "brand", "queryId", "query", "category", "branded", "control", "engine", "simulated", "requestedModel", "servedModel", "surface", "run", "outcome", "reason",
        "mentioned", "rank", "sentiment", "recommendation", "mentions", "citations", "features", "otherBrands", "snippetPotential", "voiceFitness",
        "responseTimeMs", "inputTokens", "outputTokens", "costUsd", "cacheHit", "reused", "paidTries", "callKey", "text", "contextQuality", "language", "judgedRecommendation", "judgedSentiment", "judgeDisagrees",
    ];

    public static string Write(Report report)
    {
        var csv = new StringBuilder();
        csv.AppendJoin(',', Header).Append("\r\n");
        foreach (var answer in report.Answers)
        {
            var own = answer.Mentions.Where(mention => mention.Brand == report.Brand.Name).ToList();
            string[] cells =
            [
                report.AuditId.ToString(), Text(report.Brand.Name), Text(answer.QueryId), Text(answer.Query), Text(answer.Category), Flag(answer.Branded), Flag(answer.Control),
                Text(answer.Engine), Flag(answer.Simulated), Text(answer.RequestedModel), Text(answer.ServedModel), Text(answer.Surface), Number(answer.Run), Text(answer.Outcome), Text(answer.Reason),
                Flag(own.Count > 0), own.Count == 0 ? "" : Number(own.Min(mention => mention.Rank)), own.Count == 0 ? "" : Number(own.Average(mention => mention.Sentiment)),
                own.Count == 0 ? "" : Number(own.Max(mention => mention.Recommendation)),
                Text(string.Join("; ", answer.Mentions.Select(mention => $"{mention.Brand} [{mention.Start}-{mention.End}]"))),
                Text(string.Join("; ", answer.Citations.Select(citation => citation.Url))), Text(string.Join("; ", answer.Features)), Text(string.Join("; ", answer.OtherBrands)),
                Number(answer.SnippetPotential), Number(answer.VoiceFitness), Number(answer.ResponseTimeMs), Number(answer.InputTokens), Number(answer.OutputTokens),
                answer.CostUsd.ToString(CultureInfo.InvariantCulture), Flag(answer.CacheHit), Flag(answer.Reused), Number(answer.PaidTries), Text(answer.CallKey), Text(answer.Text),
                Number(answer.ContextQuality), Text(answer.Language), Number(answer.Judge?.Recommendation), Number(answer.Judge?.Sentiment), answer.Judge is { } judge ? Flag(judge.Disagrees) : "",
            ];
            csv.AppendJoin(',', cells).Append("\r\n");
        }

        return csv.ToString();
    }

    /// <summary>Quoted; a leading =, +, -, @, tab or line break gets an apostrophe, so that a spreadsheet shows it instead of running it.</summary>
    internal static string Text(string? text)
    {
        // A mark that reverses what stands behind it is made visible, as on the pages; report.json keeps the words to the letter.
        text = Show.Plain(text);
        if (text.Length == 0)
            return "";
        // Spreadsheets skip leading blanks before they look for a formula.
        var first = text.AsSpan().TrimStart(" \u00A0\u3000\uFEFF");
        var safe = text[0] is '\t' or '\r' or '\n' || (first.Length > 0 && first[0] is '=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠') ? "'" + text : text;
        return "\"" + safe.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }

    static string Number(double? number) => number?.ToString("0.######", CultureInfo.InvariantCulture) ?? "";

    static string Flag(bool flag) => flag ? "true" : "false";
}
