using Assay.Analyzer.ReadAnswer;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Analyzer.PlanQueries;

/// <summary>The names an audit looks for, ready to be searched; built once per message.</summary>
sealed class TrackedBrands
{
    TrackedBrands(BrandLexicon lexicon) => Lexicon = lexicon;

    public BrandLexicon Lexicon { get; }

    public static TrackedBrands Of(RequestAudit request) => new(BrandLexicon.Build(
        new BrandEntry { Name = request.Brand.Name, Domain = request.Brand.Domain, Aliases = request.Brand.Aliases ?? [], Features = request.Brand.Features ?? [] },
        (request.Competitors ?? []).Select(competitor => new BrandEntry { Name = competitor.Name, Domain = competitor.Domain, Aliases = competitor.Aliases ?? [] })));

    /// <summary>Every name that is searched for, as a person is shown it.</summary>
    public IReadOnlyList<TrackedName> Names =>
        [.. Lexicon.Aliases.Select(alias => new TrackedName { Brand = alias.BrandName, Name = alias.Text, Strictness = Words(alias.Strictness) })];

    static string Words(AliasStrictness strictness) => strictness switch
    {
        AliasStrictness.Distinctive => NameStrictness.Distinctive,
        AliasStrictness.Short => NameStrictness.Short,
        AliasStrictness.OrdinaryWord => NameStrictness.OrdinaryWord,
        AliasStrictness.OrdinaryPhrase => NameStrictness.OrdinaryPhrase,
        _ => NameStrictness.AlwaysCapitalWord,
    };

    /// <summary>One name alone, for the control query's fictitious brand.</summary>
    public static TrackedBrands OnlyOf(string name) => new(BrandLexicon.Build(new BrandEntry { Name = name }, []));

    /// <summary>Whether an answer speaks of one of the names as of something that exists: an echo of the question or "I know no such brand" does not.</summary>
    public bool AreNamedIn(string answer, string query) =>
        AnswerReader.Read(new AnswerToRead { Text = answer, Query = query }, Lexicon).Mentions.Count > 0;

    /// <summary>Whether a query names the brand or a competitor.</summary>
    public bool AreNamedIn(string query) => BrandedQuery.IsBranded(query, Lexicon);
}
