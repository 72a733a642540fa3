using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.Tests.ReadAnswer;

internal static class Reading
{
    public static AnswerReading Of(string text, string brand, string[]? competitors = null, string query = "which one should I buy", string[]? aliases = null, string? domain = null, string[]? features = null, string? locale = null, AnswerSource[]? sources = null)
    {
        var lexicon = BrandLexicon.Build(
            new BrandEntry { Name = brand, Aliases = aliases ?? [], Domain = domain, Features = features ?? [] },
            (competitors ?? []).Select(c => new BrandEntry { Name = c, Domain = $"{c.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()}.com" }));
        return AnswerReader.Read(new AnswerToRead { Text = text, Query = query, Locale = locale, Sources = sources ?? [] }, lexicon);
    }

    public static string Explain(AnswerReading reading, string text) =>
        $"{reading.Validity}; ignored: {string.Join(", ", reading.Ignored.Select(i => $"'{text[i.Start..i.End]}' at {i.Start} ({i.Reason})"))}";
}
