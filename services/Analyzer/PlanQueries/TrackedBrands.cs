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

    /// <summary>One name alone, for the control query's fictitious brand.</summary>
    public static TrackedBrands OnlyOf(string name) => new(BrandLexicon.Build(new BrandEntry { Name = name }, []));

    /// <summary>Whether an answer speaks of one of the names as of something that exists: an echo of the question or "I know no such brand" does not.</summary>
    public bool AreNamedIn(string answer, string query) =>
        AnswerReader.Read(new AnswerToRead { Text = answer, Query = query }, Lexicon).Mentions.Count > 0;

    /// <summary>Whether a query names the brand or a competitor.</summary>
    public bool AreNamedIn(string query) => BrandedQuery.IsBranded(query, Lexicon);
}
