using Assay.Analyzer.ReadAnswer;
using Assay.Contracts;

namespace Assay.Analyzer.PlanQueries;

/// <summary>The names an audit looks for, ready to be searched; built once per message.</summary>
sealed class TrackedBrands
{
    TrackedBrands(BrandLexicon lexicon) => Lexicon = lexicon;

    public BrandLexicon Lexicon { get; }

    public static TrackedBrands Of(RequestAudit request) => new(BrandLexicon.Build(
        new BrandEntry { Name = request.Brand.Name, Domain = request.Brand.Domain, Aliases = request.Brand.Aliases ?? [], Features = request.Brand.Features ?? [] },
        (request.Competitors ?? []).Select(competitor => new BrandEntry { Name = competitor.Name, Domain = competitor.Domain, Aliases = competitor.Aliases ?? [] })));

    /// <summary>Whether a query names the brand or a competitor, by the same matcher that reads answers.</summary>
    public bool AreNamedIn(string query) =>
        AnswerReader.Read(new AnswerToRead { Text = query, Query = "" }, Lexicon).Mentions.Count > 0;
}
