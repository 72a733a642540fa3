namespace Assay.Analyzer.ReadAnswer;

/// <summary>
/// Reads one answer: which brands it names, where, in what place, with what advice and tone, and on what sources. Pure,
/// linear in the length of the text, and the same for the same input; no language model has a say in it.
/// </summary>
internal static class AnswerReader
{
    private const int MostMentions = 2000;
    private const int MostIgnored = 500;
    private const int MostNamesPerSentence = 40;
    private const int ContextLength = 240;
    private const int LabelReach = 2000;

    /// <summary>The rules behind a reading: matcher, lists, clauses.</summary>
    public const string Version = MentionMatcher.Version;

    public static AnswerReading Read(AnswerToRead answer, BrandLexicon lexicon)
    {
        var text = MarkdownReader.Read(answer.Text);
        var sentences = Sentences.Cut(text);
        var language = LanguageGuess.Of(text);
        var matches = MentionMatcher.Find(text, lexicon, nounsAreCapitalised: language is "de" || (language is null && answer.Locale?.StartsWith("de", StringComparison.OrdinalIgnoreCase) is true));
        var refused = Exclusions.IsRefusal(text, sentences);
        var ignored = new List<IgnoredMention>();
        var accepted = Accept(text, sentences, answer.Query, matches, refused, lexicon, ignored);

        var lists = ProductLists.Find(text, accepted);
        var judged = JudgeAll(text, sentences, lists, accepted);
        var ranks = Rank(text, lists, accepted, lexicon.Brands.Count);
        var words = sentences.Sum(s => s.Words);
        var citations = Citations.Collect(text, sentences, answer.Sources, lexicon);
        var own = accepted.FindAll(m => m.Alias.Brand == 0);
        var (fields, quality) = BrandContext.Read(text, sentences, lists, own, lexicon);
        var (validity, detail) = Validity(text, answer, language, refused, words);

        return new AnswerReading
        {
            MatcherVersion = Version,
            Validity = validity,
            ValidityDetail = detail,
            Language = language,
            Mentions = MentionsOf(text, sentences, accepted, judged, ranks),
            Ignored = ignored,
            Brands = BrandsOf(text, sentences, accepted, judged, ranks, citations, lexicon),
            Citations = citations,
            Features = BrandContext.Features(text, lexicon),
            OtherBrands = refused ? [] : OtherBrands.Discover(text, lists, accepted),
            ContextFields = fields,
            ContextQuality = quality,
            SnippetPotential = AnswerForm.SnippetPotential(text, sentences, answer.Query, words),
            VoiceFitness = AnswerForm.VoiceFitness(text, sentences, words),
            Words = words,
            Sentences = sentences.Count,
        };
    }

    private static (AnswerValidity, string?) Validity(VisibleText text, AnswerToRead answer, string? language, bool refused, int words)
    {
        if (words == 0)
            return (AnswerValidity.Empty, text.Length == 0 ? "the answer holds no text" : "the answer holds no words");
        if (refused)
            return (AnswerValidity.Refused, "the answer declines to answer");
        return LanguageGuess.Matches(language, answer.Locale)
            ? (AnswerValidity.Valid, null)
            : (AnswerValidity.WrongLanguage, $"the answer is in '{language}', asked was '{answer.Locale}'");
    }

    private static List<NameMatch> Accept(VisibleText text, List<Sentence> sentences, string query, List<NameMatch> matches, bool refused, BrandLexicon lexicon, List<IgnoredMention> ignored)
    {
        var stretches = new List<Exclusions.Stretch>();
        if (matches.Count > 0 && !refused)
        {
            stretches.AddRange(Exclusions.Echoes(text, query));
            stretches.AddRange(Exclusions.Absences(text, sentences, SentencesOf(sentences, matches)));
            stretches.AddRange(Exclusions.Interface(text));
            stretches.Sort((a, b) => a.Start.CompareTo(b.Start));
        }

        var accepted = new List<NameMatch>(matches.Count);
        var next = 0;
        foreach (var match in matches)
        {
            while (next < stretches.Count && stretches[next].End <= match.Start)
                next++;
            var reason = match.Rejection;
            if (reason is null && refused)
                reason = IgnoredReason.Refusal;
            for (var s = next; reason is null && s < stretches.Count && stretches[s].Start < match.End; s++)
            {
                if (match.Start >= stretches[s].Start && match.Start < stretches[s].End)
                    reason = stretches[s].Reason;
            }

            if (reason is null)
                accepted.Add(match);
            else if (ignored.Count < MostIgnored)
                ignored.Add(new IgnoredMention(lexicon.Brands[match.Alias.Brand].Name, match.Alias.Text, text.SourceStart(match.Start), text.SourceEnd(match.End - 1), reason));
        }

        return accepted;
    }

    private static SortedSet<int> SentencesOf(List<Sentence> sentences, List<NameMatch> matches)
    {
        var indices = new SortedSet<int>();
        foreach (var match in matches)
        {
            if (Sentences.IndexAt(sentences, match.Start) is >= 0 and var index)
                indices.Add(index);
        }

        return indices;
    }

    private readonly record struct Judgement(int Sentence, int Sentiment, double Recommendation, bool Listed);

    private static List<Judgement> JudgeAll(VisibleText text, List<Sentence> sentences, ProductLists lists, List<NameMatch> accepted)
    {
        var reader = new ClauseReader(text, sentences);
        var judged = new List<Judgement>(accepted.Count);
        var labels = new Dictionary<int, (bool Top, bool Recommended)>();
        var entries = new HashSet<int>(lists.EntryBlocks());
        for (var i = 0; i < accepted.Count;)
        {
            var sentence = Sentences.IndexAt(sentences, accepted[i].Start);
            var stop = i + 1;
            while (stop < accepted.Count && sentence >= 0 && accepted[stop].Start < sentences[sentence].End)
                stop++;
            var names = accepted.GetRange(i, Math.Min(stop - i, MostNamesPerSentence));
            var verdicts = sentence < 0 ? new ClauseReader.Verdict[names.Count] : reader.Judge(sentence, names);
            for (var k = i; k < stop; k++)
            {
                var verdict = k - i < verdicts.Length ? verdicts[k - i] : default;
                var place = lists.PlaceOf(text, accepted[k]);
                var listed = place is not null || lists.IsInline(accepted[k]);
                if (place is not null && verdict is { Sentiment: 0, Warned: false } && names.Count == 1 && Continuation(text, sentences, entries, sentence, accepted[k].Block) is >= 0 and var next)
                    verdict = Merge(verdict, reader.JudgeNameless(next));
                judged.Add(new Judgement(sentence, verdict.Sentiment, Strength(text, reader, lists, accepted[k], place, listed, verdict, labels), listed));
            }

            i = stop;
        }

        return judged;
    }

    private static ClauseReader.Verdict Merge(ClauseReader.Verdict head, ClauseReader.Verdict tail) =>
        new(tail.Sentiment, head.Top || tail.Top, head.Recommended || tail.Recommended, tail.Warned);

    // The sentence behind a bare entry head: "1. Sony WH-1000XM5" and then what is said about it.
    private static int Continuation(VisibleText text, List<Sentence> sentences, HashSet<int> entries, int sentence, int block)
    {
        var next = sentence + 1;
        if (sentence < 0 || next >= sentences.Count || sentences[next].Block - block > 1)
            return -1;
        return sentences[next].Block == block || (!entries.Contains(sentences[next].Block) && text.Blocks[sentences[next].Block].Kind is BlockKind.Paragraph or BlockKind.ListItem) ? next : -1;
    }

    private static double Strength(VisibleText text, ClauseReader reader, ProductLists lists, NameMatch match, int? place, bool listed, ClauseReader.Verdict verdict, Dictionary<int, (bool Top, bool Recommended)> labels)
    {
        if (verdict.Warned)
            return .25;
        var label = !listed ? default
            : lists.IsInline(match) ? (Top: false, Recommended: StandsUnderTopPicks(text, match))
            : LabelOver(text, reader, match.Block, labels);
        if (verdict.Top || (label.Top && place is 1))
            return 1;
        if (verdict.Recommended || label.Recommended)
            return .75;
        return listed ? .5 : .25;
    }

    // "Top Picks: Sony …: … Other Options: JBL …: …" in one block: the nearer of the two kinds of label decides.
    private static bool StandsUnderTopPicks(VisibleText text, NameMatch match)
    {
        var before = text.Folded[Math.Max(text.Blocks[match.Block].Start, match.Start - LabelReach)..match.Start];
        var top = Math.Max(before.LastIndexOf("top pick"), Math.Max(before.LastIndexOf("top choice"), before.LastIndexOf("top recommendation")));
        return top >= 0 && top > before.LastIndexOf("other ");
    }

    // The nearest heading or introducing line above a list's entry, looked up once per list.
    private static (bool Top, bool Recommended) LabelOver(VisibleText text, ClauseReader reader, int block, Dictionary<int, (bool Top, bool Recommended)> labels)
    {
        var level = text.Blocks[block].Kind is BlockKind.Heading ? text.Blocks[block].Level : int.MaxValue;
        for (var b = block - 1; b >= 0 && b >= block - 60; b--)
        {
            var above = text.Blocks[b];
            var isLabel = (above.Kind is BlockKind.Heading && above.Level < level)
                || (above.Kind is BlockKind.Paragraph && text.Chars[above.End - 1] == ':' && level == int.MaxValue);
            if (!isLabel)
                continue;
            if (!labels.TryGetValue(b, out var label))
                labels[b] = label = reader.JudgeLabel(Math.Max(above.Start, above.End - 160), above.End);
            return label;
        }

        return default;
    }

    private static int?[] Rank(VisibleText text, ProductLists lists, List<NameMatch> accepted, int brands)
    {
        var ranks = new int?[brands];
        foreach (var match in accepted)
        {
            if (ranks[match.Alias.Brand] is null && lists.PlaceOf(text, match) is { } place)
                ranks[match.Alias.Brand] = place;
        }

        var seen = new bool[brands];
        var order = 0;
        foreach (var match in accepted)
        {
            if (seen[match.Alias.Brand])
                continue;
            seen[match.Alias.Brand] = true;
            order++;
            ranks[match.Alias.Brand] ??= order;
        }

        return ranks;
    }

    private static List<Mention> MentionsOf(VisibleText text, List<Sentence> sentences, List<NameMatch> accepted, List<Judgement> judged, int?[] ranks)
    {
        var mentions = new List<Mention>(Math.Min(accepted.Count, MostMentions));
        for (var i = 0; i < accepted.Count && i < MostMentions; i++)
        {
            var match = accepted[i];
            mentions.Add(new Mention
            {
                Brand = match.Alias.BrandName,
                Alias = match.Alias.Text,
                Start = text.SourceStart(match.Start),
                End = text.SourceEnd(match.End - 1),
                Rank = ranks[match.Alias.Brand],
                Sentiment = judged[i].Sentiment,
                Recommendation = judged[i].Recommendation,
                IsListed = judged[i].Listed,
                Context = Excerpt(text, sentences, judged[i].Sentence, match),
            });
        }

        return mentions;
    }

    private static string Excerpt(VisibleText text, List<Sentence> sentences, int sentence, NameMatch match)
    {
        var (start, end) = sentence < 0 ? (match.Start, match.End) : (sentences[sentence].Start, sentences[sentence].End);
        if (end - start > ContextLength)
        {
            var from = Math.Max(start, match.Start - ContextLength / 2);
            var to = Math.Min(end, from + ContextLength);
            if (from > start && char.IsLowSurrogate(text.Chars[from]))
                from++;
            if (to < end && char.IsHighSurrogate(text.Chars[to - 1]))
                to--;
            return $"{(from > start ? "…" : "")}{text.Chars[from..to].Trim()}{(to < end ? "…" : "")}";
        }

        return text.Chars[start..end].ToString();
    }

    private static List<BrandReading> BrandsOf(VisibleText text, List<Sentence> sentences, List<NameMatch> accepted, List<Judgement> judged, int?[] ranks, List<Citation> citations, BrandLexicon lexicon)
    {
        var count = lexicon.Brands.Count;
        var mentions = new int[count];
        var strength = new double[count];
        var clauses = new (int Positive, int Neutral, int Negative)[count];
        var listed = new bool[count];
        var last = new int[count];
        Array.Fill(last, -1);
        var bySentence = new Dictionary<int, List<int>>();
        for (var i = 0; i < accepted.Count; i++)
        {
            var brand = accepted[i].Alias.Brand;
            mentions[brand]++;
            strength[brand] = Math.Max(strength[brand], judged[i].Recommendation);
            listed[brand] |= judged[i].Listed;
            // One clause, one vote: the same name twice in a sentence says one thing.
            if (judged[i].Sentence != last[brand] || judged[i].Sentence < 0)
            {
                var c = clauses[brand];
                clauses[brand] = judged[i].Sentiment switch { > 0 => c with { Positive = c.Positive + 1 }, < 0 => c with { Negative = c.Negative + 1 }, _ => c with { Neutral = c.Neutral + 1 } };
                last[brand] = judged[i].Sentence;
            }

            if (judged[i].Sentence >= 0)
            {
                if (!bySentence.TryGetValue(judged[i].Sentence, out var named))
                    bySentence.Add(judged[i].Sentence, named = []);
                if (!named.Contains(brand))
                    named.Add(brand);
            }
        }

        var shares = PositionShares(sentences, bySentence, count);
        var cited = new HashSet<string>(citations.Where(c => c.Brand is not null).Select(c => c.Brand!), StringComparer.Ordinal);
        var brands = new List<BrandReading>(count);
        for (var b = 0; b < count; b++)
        {
            brands.Add(new BrandReading
            {
                Brand = lexicon.Brands[b].Name,
                IsOwn = b == 0,
                MentionCount = mentions[b],
                Rank = ranks[b],
                Recommendation = strength[b],
                Sentiment = Math.Sign(clauses[b].Positive - clauses[b].Negative),
                PositiveClauses = clauses[b].Positive,
                NeutralClauses = clauses[b].Neutral,
                NegativeClauses = clauses[b].Negative,
                IsListed = listed[b],
                PositionShare = shares[b],
                Cited = cited.Contains(lexicon.Brands[b].Name),
            });
        }

        return brands;
    }

    private static double[] PositionShares(List<Sentence> sentences, Dictionary<int, List<int>> bySentence, int brands)
    {
        var shares = new double[brands];
        var total = 0.0;
        for (var s = 0; s < sentences.Count; s++)
        {
            var weight = sentences[s].Words * Citations.PositionWeight(s, sentences.Count);
            total += weight;
            if (!bySentence.TryGetValue(s, out var named))
                continue;
            foreach (var brand in named)
                shares[brand] += weight / named.Count;
        }

        for (var b = 0; total > 0 && b < brands; b++)
            shares[b] /= total;
        return shares;
    }
}
