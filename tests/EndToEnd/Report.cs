using System.Text.Json;

namespace Assay.EndToEnd;

/// <summary>What the tests read from report.json.</summary>
static class Report
{
    public static async Task<JsonElement> ReadAsync(string path) => JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(path));

    public static string? Text(this JsonElement element, string property) => element.GetProperty(property).GetString();

    public static int Number(this JsonElement element, string property) => element.GetProperty(property).GetInt32();

    /// <summary>Every offset cuts exactly a name out of the text it belongs to.</summary>
    public static void ShouldHoldMentionsAtTheirOffsets(this JsonElement report, IReadOnlyList<string> names)
    {
        var mentions = 0;
        foreach (var answer in report.GetProperty("answers").EnumerateArray())
            foreach (var mention in answer.GetProperty("mentions").EnumerateArray())
            {
                var text = answer.Text("text")![mention.Number("start")..mention.Number("end")];
                names.ShouldContain(name => text.Replace(" ", "", StringComparison.Ordinal).Contains(name.Replace(" ", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase), $"'{text}' for {mention}");
                mentions++;
            }

        mentions.ShouldBeGreaterThan(0);
    }

    public static void ShouldAddUp(this JsonElement report)
    {
        var coverage = report.GetProperty("coverage");
        coverage.Number("planned").ShouldBe(coverage.Number("valid") + coverage.Number("declined") + coverage.Number("refused") + coverage.Number("empty") + coverage.Number("inDoubt"));
        report.GetProperty("answers").GetArrayLength().ShouldBe(coverage.Number("planned"));
    }
}
