using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Embedded.Cli;
using Spectre.Console;

namespace Assay.Embedded.Audits;

/// <summary>The end of an audit at a terminal: scores with their intervals, engines, competitors, coverage, spend. Everything is read from the report.</summary>
static class ScoreTable
{
    static readonly string[] Headline = ["overall", "visibility", "shareOfVoice", "mrr", "recommendationRate", "citationRate", "netSentiment", "contextCompleteness", "geo"];

    public static void Write(IAnsiConsole console, JsonElement report)
    {
        var simulated = report.Flag("simulated");
        var scores = Scores(report.At("scores"));
        if (scores.Count > 0)
        {
            var table = NewTable(simulated ? "Scores (simulated)" : "Scores");
            table.AddColumn("Metric").AddColumn(Right("Value")).AddColumn(Right("95 % interval")).AddColumn(Right("n"));
            foreach (var name in Headline.Where(scores.ContainsKey))
                table.AddRow(Markup.Escape(Show.Metric(name)), Show.Score(name, scores[name].Value), Show.Interval(name, scores[name]), scores[name].N.ToString());
            console.Write(table);
        }

        WriteGroups(console, report.At("engines"), "Engine", simulated);
        WriteCompetitors(console, report, scores);
    }

    static void WriteGroups(IAnsiConsole console, JsonElement groups, string title, bool simulated)
    {
        if (groups.ValueKind != JsonValueKind.Array || groups.GetArrayLength() == 0)
            return;
        var table = NewTable(simulated ? "By engine (simulated)" : "By engine");
        table.AddColumn(title).AddColumn("Model").AddColumn(Right("Valid")).AddColumn(Right("Visibility")).AddColumn(Right("95 % interval")).AddColumn(Right("Recommended"));
        foreach (var group in groups.EnumerateArray())
        {
            var scores = Scores(group.At("scores"));
            var visibility = scores.GetValueOrDefault("visibility") ?? new ScoreValue();
            var recommended = scores.GetValueOrDefault("recommendationRate") ?? new ScoreValue();
            var coverage = group.At("coverage");
            table.AddRow(
                Markup.Escape(group.Text("name") ?? ""), Markup.Escape(group.Text("model") ?? ""), $"{coverage.Number("valid")}/{coverage.Number("planned")}",
                Show.Score("visibility", visibility.Value), Show.Interval("visibility", visibility), Both("recommendationRate", recommended));
        }

        console.Write(table);
    }

    static void WriteCompetitors(IAnsiConsole console, JsonElement report, Dictionary<string, ScoreValue> own)
    {
        var competitors = report.At("competitors");
        if (competitors.ValueKind != JsonValueKind.Array || competitors.GetArrayLength() == 0)
            return;
        var table = NewTable("Against competitors");
        table.AddColumn("Brand").AddColumn(Right("Visibility")).AddColumn(Right("95 % interval")).AddColumn(Right("Share of voice")).AddColumn(Right("Difference")).AddColumn("");
        var brand = report.At("brand");
        var name = brand.ValueKind == JsonValueKind.String ? brand.GetString() : brand.Text("name");
        AddRow(name ?? "the brand", own, null, "");
        foreach (var competitor in competitors.EnumerateArray())
        {
            var difference = Value(competitor.At("difference"));
            var shown = difference?.Value is null ? "" : $"{Show.Score("visibility", difference.Value)} ({Show.Interval("visibility", difference)})";
            AddRow(competitor.Text("name") ?? "", Scores(competitor.At("scores")), shown, competitor.Flag("detectable") ? "" : "no detectable difference");
        }

        console.Write(table);

        void AddRow(string label, Dictionary<string, ScoreValue> scores, string? difference, string remark)
        {
            var visibility = scores.GetValueOrDefault("visibility") ?? new ScoreValue();
            var share = scores.GetValueOrDefault("shareOfVoice") ?? new ScoreValue();
            table.AddRow(Markup.Escape(label), Show.Score("visibility", visibility.Value), Show.Interval("visibility", visibility), Both("shareOfVoice", share), difference ?? "", remark);
        }
    }

    /// <summary>A value over its interval, where there is no column for it: 0 of 45 still allows 8 %.</summary>
    static string Both(string metric, ScoreValue score) => score.Value is null ? Show.Score(metric, null) : $"{Show.Score(metric, score.Value)}\n{Show.Interval(metric, score)}";

    static Table NewTable(string title) => new Table().Title(new TableTitle(title, new Style(decoration: Decoration.Bold))).Border(TableBorder.Rounded).LeftAligned();

    static TableColumn Right(string header) => new TableColumn(header).RightAligned().NoWrap();

    internal static Dictionary<string, ScoreValue> Scores(JsonElement scores)
    {
        Dictionary<string, ScoreValue> result = new(StringComparer.Ordinal);
        if (scores.ValueKind == JsonValueKind.Object)
        {
            foreach (var score in scores.EnumerateObject())
                if (Value(score.Value) is { } value)
                    result[score.Name] = value;
        }

        return result;
    }

    static ScoreValue? Value(JsonElement score) => score.ValueKind == JsonValueKind.Object ? score.Deserialize<ScoreValue>(AssayJson.Options) : null;
}

/// <summary>Reading a report of this or another version: what is not there is not there.</summary>
static class ReportJson
{
    public static JsonElement At(this JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var value) ? value : default;

    public static string? Text(this JsonElement element, string property) => element.At(property) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static bool Flag(this JsonElement element, string property) => element.At(property).ValueKind == JsonValueKind.True;

    public static long Number(this JsonElement element, string property) => element.At(property) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : 0;

    public static decimal Money(this JsonElement element, string property) => element.At(property) is { ValueKind: JsonValueKind.Number } number ? number.GetDecimal() : 0;
}
