namespace Assay.Analyzer.ReadAnswer;

/// <summary>Whether a query's own words name the brand or a tracked competitor: its answers are reported apart.</summary>
internal static class BrandedQuery
{
    private static readonly string[] Before = ["is", "are", "does", "vs", "versus", "or", "alternatives to", "alternative to", "compared to", "better than", "like", "from", "about"];
    private static readonly string[] After = ["vs", "versus", "or", "alternative", "alternatives", "review", "reviews", "compared", "reddit", "worth it", "legit", "any good"];

    public static bool IsBranded(string query, BrandLexicon lexicon)
    {
        var text = MarkdownReader.ReadPlain(query);
        var matches = MentionMatcher.Find(text, lexicon, nounsAreCapitalised: false);
        if (matches.Exists(m => m.Accepted || m.Rejection is IgnoredReason.Url))
            return true;
        // People ask in lower case: "is ring worth it", "apple vs sony". An ordinary word needs a question about a name around it.
        foreach (var alias in lexicon.Aliases)
        {
            if (alias.Strictness is AliasStrictness.Distinctive)
                continue;
            var name = MarkdownReader.Fold(alias.Text);
            if (Before.Any(b => Phrases.IndexOf(text.Folded, $"{b} {name}") >= 0) || After.Any(a => Phrases.IndexOf(text.Folded, $"{name} {a}") >= 0))
                return true;
        }

        return false;
    }
}
