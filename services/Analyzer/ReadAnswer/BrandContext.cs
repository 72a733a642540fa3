namespace Assay.Analyzer.ReadAnswer;

/// <summary>Which facts an answer gives about the audited brand, where its name stands and in what follows a list entry's head.</summary>
internal static class BrandContext
{
    private const int MostMentions = 20;
    private const int SentencesPerEntry = 8;

    private static readonly string[] UseCases = ["ideal for", "perfect for", "great for", "best for", "good for", "suited for", "suitable for", "designed for", "excellent for", "if you", "for those who", "for people who", "well suited"];
    private static readonly string[] Weaknesses = ["cons", "downside", "drawback", "however", "lacks", "but", "on the other hand", "limited", "expensive", "not as", "some users"];
    private static readonly string[] Strengths = ["pros", "strength", "known for", "excellent", "great", "praised", "outstanding", "impressive", "offers", "best", "reliable", "popular", "highly"];
    private static readonly string[] Availability = ["available at", "available on", "available from", "available in", "where to buy", "buy it", "in stock", "retailers", "sold at", "sold by", "purchase", "amazon", "best buy", "walmart", "order from"];
    private static readonly string[] Comparisons = ["compared to", "compared with", "better than", "cheaper than", "more than", "vs", "versus", "unlike", "alternative to", "similar to", "less expensive than", "than the"];
    private static readonly string[] Ratings = ["stars", "rated", "rating", "ratings", "reviews", "out of 5", "/5", "out of 10", "/10"];

    private static readonly (string Field, double Weight)[] Fields =
        [("price", .2), ("features", .2), ("useCase", .15), ("strengths", .15), ("weaknesses", .1), ("rating", .1), ("availability", .05), ("comparison", .05)];

    public static (List<ContextField> Fields, double? Quality) Read(VisibleText text, List<Sentence> sentences, ProductLists lists, List<NameMatch> own, BrandLexicon lexicon)
    {
        if (own.Count == 0)
            return ([], null);
        var region = Region(text, sentences, lists, own);
        var sourced = new HashSet<int>();
        foreach (var link in text.Links)
        {
            if (link.Url is not null && Citations.CitedSentence(text, sentences, link) is >= 0 and var cited)
                sourced.Add(cited);
        }

        var present = new bool[Fields.Length];
        var backed = new bool[Fields.Length];
        var words = 0;
        foreach (var index in region)
        {
            var sentence = sentences[index];
            words += sentence.Words;
            var hasSource = sourced.Contains(index) || sourced.Contains(index + 1) && index + 1 < sentences.Count && sentences[index + 1].Block == sentence.Block;
            for (var f = 0; f < Fields.Length; f++)
            {
                if ((present[f] && (backed[f] || !hasSource)) || !Holds(f, text, sentence, lexicon))
                    continue;
                present[f] = true;
                backed[f] |= hasSource;
            }
        }

        var fields = new List<ContextField>(Fields.Length);
        var score = 0.0;
        for (var f = 0; f < Fields.Length; f++)
        {
            fields.Add(new ContextField(Fields[f].Field, Fields[f].Weight, present[f], backed[f]));
            score += present[f] ? Fields[f].Weight : 0;
        }

        return (fields, Math.Round(.7 * score + .3 * Math.Min(1, words / 60.0), 4));
    }

    /// <summary>The brand's key features that stand anywhere in the answer.</summary>
    public static List<string> Features(VisibleText text, BrandLexicon lexicon)
    {
        var found = new List<string>();
        foreach (var feature in lexicon.Features)
        {
            if (Phrases.Any(text.Folded, feature.Spellings))
                found.Add(feature.Name);
        }

        return found;
    }

    /// <summary>The sentences that name the brand, and those that follow the entries it heads.</summary>
    public static SortedSet<int> Region(VisibleText text, List<Sentence> sentences, ProductLists lists, List<NameMatch> own)
    {
        var region = new SortedSet<int>();
        var entries = new HashSet<int>(lists.EntryBlocks());
        foreach (var match in own.Take(MostMentions))
        {
            var index = Sentences.IndexAt(sentences, match.Start);
            if (index < 0)
                continue;
            region.Add(index);
            if (lists.PlaceOf(text, match) is null)
                continue;
            for (var next = index + 1; next < sentences.Count && next <= index + SentencesPerEntry; next++)
            {
                var block = sentences[next].Block;
                if (block != match.Block && (entries.Contains(block) || text.Blocks[block].Kind is BlockKind.Heading))
                    break;
                if (text.Blocks[block].Kind is BlockKind.Cell && text.Blocks[block].Row != text.Blocks[match.Block].Row)
                    break;
                region.Add(next);
            }
        }

        return region;
    }

    private static bool Holds(int field, VisibleText text, Sentence sentence, BrandLexicon lexicon)
    {
        var folded = text.Folded[sentence.Start..sentence.End];
        return Fields[field].Field switch
        {
            "price" => HasPrice(folded),
            "features" => HasMeasure(folded) || AnyFeature(folded, lexicon),
            "useCase" => Phrases.Any(folded, UseCases),
            "strengths" => Phrases.Any(folded, Strengths),
            "weaknesses" => Phrases.Any(folded, Weaknesses),
            "rating" => Phrases.Any(folded, Ratings),
            "availability" => Phrases.Any(folded, Availability),
            _ => Phrases.Any(folded, Comparisons),
        };
    }

    private static bool AnyFeature(ReadOnlySpan<char> folded, BrandLexicon lexicon)
    {
        foreach (var feature in lexicon.Features)
        {
            if (Phrases.Any(folded, feature.Spellings))
                return true;
        }

        return false;
    }

    private static bool HasPrice(ReadOnlySpan<char> folded)
    {
        for (var i = 0; i < folded.Length; i++)
        {
            if (folded[i] is not ('$' or '€' or '£' or '¥'))
                continue;
            if ((i + 1 < folded.Length && char.IsDigit(folded[i + 1])) || (i > 0 && char.IsDigit(folded[i - 1])) || (i > 1 && folded[i - 1] == ' ' && char.IsDigit(folded[i - 2])))
                return true;
        }

        return false;
    }

    // A number with letters at it or behind it: "40 hours", "16GB", "1000W", "IPX7".
    private static bool HasMeasure(ReadOnlySpan<char> folded)
    {
        for (var i = 1; i < folded.Length; i++)
        {
            if (char.IsDigit(folded[i - 1]) && (char.IsLetter(folded[i]) || (folded[i] is ' ' or '-' && i + 1 < folded.Length && char.IsLetter(folded[i + 1])))
                && (i < 2 || folded[i - 2] is not '$'))
                return true;
        }

        return false;
    }
}
