using System.Text.Json;
using Assay.Analyzer.Advisor;

namespace Assay.Analyzer.JudgeAnswers;

/// <summary>A judge's opinion of one answer, checked against its schema.</summary>
/// <param name="Features">Null where the judge gave none to compare.</param>
sealed record Judgement(double Recommendation, int Sentiment, IReadOnlyList<string>? Features)
{
    static readonly double[] Strengths = [0.25, 0.5, 0.75, 1];

    /// <summary>The opinion on the answer that was asked about; else the reason why the judge's words cannot be used.</summary>
    public static (Judgement? Judgement, string? Reason) Read(string? answer, string callKey, IReadOnlyList<string> features)
    {
        using var document = AdvisorAnswer.Parse(answer);
        if (document is null || !document.RootElement.TryGetProperty("judgements", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() != 1)
            return (null, "it was not a JSON object with one judgement.");
        var item = list[0];
        if (AdvisorAnswer.Text(item, "callKey") != callKey)
            return (null, "it judged another answer than the one asked about.");
        if (Number(item, "recommendation") is not { } recommendation || !Strengths.Contains(recommendation))
            return (null, "\"recommendation\" was none of 0.25, 0.5, 0.75 and 1.");
        if (Number(item, "sentiment") is not (-1 or 0 or 1) || Number(item, "sentiment") is not { } sentiment)
            return (null, "\"sentiment\" was none of -1, 0 and 1.");
        if (AdvisorAnswer.Texts(item, "features") is not { } said)
            return (null, "\"features\" was not a list of texts.");
        var named = item.TryGetProperty("features", out _) ? features.Where(feature => said.Contains(feature, StringComparer.OrdinalIgnoreCase)).ToList() : null;
        return (new(recommendation, (int)sentiment, named), null);
    }

    static double? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;
}
