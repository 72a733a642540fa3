using System.Collections.Frozen;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>A name found in the visible text, before it is decided whether it counts.</summary>
internal readonly record struct NameMatch(BrandAlias Alias, int Start, int End, int Block, bool Accepted, string? Rejection);

/// <summary>
/// Finds every alias of a lexicon in one pass over the visible text: a walk down a trie from each place where a word can
/// begin, longest match first, boundaries judged by script. Each walk is bounded by the longest alias.
/// </summary>
internal static class MentionMatcher
{
    /// <summary>Changes whenever the same text and lexicon could give other mentions.</summary>
    public const string Version = "matcher-v1";

    private const int MostSeparators = 2;

    private static readonly FrozenSet<string> Verbs = new[]
    {
        "offers", "makes", "provides", "delivers", "has", "is", "was", "produces", "sells", "gives", "features", "includes", "stands", "remains",
        "also", "announced", "launched", "released", "supports", "charges", "ranks", "excels", "leads", "wins", "continues", "does",
        "vs", "products", "cameras", "devices", "phones", "laptops", "headphones", "models",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Capitalised labels, not product names: "Ring Size", "Zoom Range", "Box Contents".
    private static readonly FrozenSet<string> Attributes = new[]
    {
        "size", "sizes", "contents", "range", "type", "types", "guide", "style", "setting", "settings", "level", "levels", "options", "material",
        "materials", "light", "time", "lens", "capability", "features", "quality", "comfort", "fit", "price", "value", "design", "life", "spring",
        "springs", "purchases", "audience", "market", "customers", "users", "date", "dates", "heart", "rate", "number", "areas", "area", "weight",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Capitalised words that may stand before a name without being a part of it.
    private static readonly FrozenSet<string> Openers = new[]
    {
        "the", "a", "an", "and", "or", "with", "for", "by", "from", "in", "on", "at", "to", "of", "is", "are", "why", "how", "best", "top", "new", "our", "my",
        "your", "this", "these", "both", "unlike", "like", "vs", "choose", "try", "consider", "buy", "women's", "men's", "i",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> FunctionWords = new[]
    {
        "on", "up", "it", "go", "one", "all", "next", "now", "we", "here", "the", "that", "this", "any", "some", "both", "other", "like", "just", "well", "still",
        "most", "more", "best", "top", "new", "good", "great", "first", "last", "made", "in", "at", "to", "for", "by", "and", "or", "if", "as", "so", "no", "yes",
        "not", "but", "what", "who", "when", "where", "how", "why", "can", "will", "do", "does", "be", "is", "are", "our", "your", "my", "his", "her", "their",
        "its", "with", "from", "over", "under", "after", "before", "since", "while", "during", "today", "nothing", "everything", "visible", "away",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] Announcements =
        ["best", "top", "honorable mention", "honourable mention", "runner-up", "runner up", "budget", "premium", "overall", "pick", "choice", "value", "winner", "alternative", "upgrade", "recommendation", "recommended", "for"];

    internal static readonly FrozenSet<string> TopLevels = new[]
    {
        "com", "net", "org", "io", "co", "de", "uk", "ai", "app", "us", "eu", "fr", "es", "it", "jp", "cn", "ca", "au", "shop", "store", "dev",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static List<NameMatch> Find(VisibleText text, BrandLexicon lexicon, bool nounsAreCapitalised)
    {
        var matches = new List<NameMatch>();
        if (lexicon.Aliases.Count == 0)
            return matches;
        Span<int> positions = stackalloc int[128];
        for (var b = 0; b < text.Blocks.Count; b++)
        {
            var block = text.Blocks[b];
            bool? glued = null;
            for (var p = block.Start; p < block.End;)
            {
                var match = MatchAt(text, lexicon, block, p, positions, ref glued);
                if (match is { } found)
                {
                    matches.Add(found with { Block = b });
                    p = found.End;
                }
                else
                {
                    p++;
                }
            }
        }

        return Confirm(text, matches, nounsAreCapitalised);
    }

    private static NameMatch? MatchAt(VisibleText text, BrandLexicon lexicon, Block block, int start, Span<int> positions, ref bool? glued)
    {
        var folded = text.Folded;
        var node = lexicon.First(folded[start]);
        if (node < 0 || !CanStart(text, block, start, out var startNeedsGlue))
            return null;

        NameMatch? best = null;
        var count = 0;
        for (var p = start; ;)
        {
            positions[count++] = p++;
            if (lexicon.At(node) is { } aliases)
            {
                foreach (var alias in aliases)
                {
                    if (Fits(text, alias, positions[..count]) && EndOf(text, block, alias, p, out var endNeedsGlue, out var rejection) is var end and > 0)
                    {
                        if (startNeedsGlue || endNeedsGlue)
                        {
                            glued ??= IsGlued(text, block);
                            if (glued is false || alias.Strictness is not AliasStrictness.Distinctive || alias.Key.Length < 4)
                                continue;
                        }

                        rejection ??= StyleRejection(text, start) ?? AddressRejection(text, block, start, end) ?? UnitRejection(text, block, alias, start, end);
                        var accepted = rejection is null && alias.Strictness is not (AliasStrictness.OrdinaryWord or AliasStrictness.AlwaysCapitalWord);
                        best = new NameMatch(alias, start, end, 0, accepted, rejection);
                        break;
                    }
                }
            }

            var separators = 0;
            while (p < block.End && separators < MostSeparators && IsSeparator(folded[p]) && lexicon.Next(node, folded[p]) < 0)
            {
                p++;
                separators++;
            }

            if (p >= block.End || count >= positions.Length)
                return best;
            node = lexicon.Next(node, folded[p]);
            if (node < 0)
                return best;
        }
    }

    private static bool IsSeparator(char c) => c is ' ' or '-' or '\'' or '.' or '·' or '/';

    private static bool CanStart(VisibleText text, Block block, int start, out bool needsGlue)
    {
        needsGlue = false;
        if (start == block.Start)
            return true;
        var chars = text.Chars;
        var before = Characters.ScriptAt(chars, start - 1);
        var here = Characters.ScriptAt(chars, start);
        if (before is Characters.Script.None || IsFree(here) || IsFree(before) || before != here && (IsScripted(before) || IsScripted(here)))
            return true;
        if (before is Characters.Script.Katakana && here is Characters.Script.Katakana)
            return false;
        if (char.IsUpper(chars[start]) && !char.IsUpper(chars[start - 1]) && chars[start - 1] != '_' && !Characters.IsMark(chars[start - 1]))
        {
            needsGlue = true;
            return true;
        }

        return false;
    }

    private static bool IsFree(Characters.Script script) => script is Characters.Script.Ideograph or Characters.Script.Unspaced;

    private static bool IsScripted(Characters.Script script) => script is Characters.Script.Katakana or Characters.Script.Hangul;

    // Whether the letters found, with what stands between them, are a spelling of the alias.
    private static bool Fits(VisibleText text, BrandAlias alias, ReadOnlySpan<int> at)
    {
        var chars = text.Chars;
        var strict = alias.Strictness is not AliasStrictness.Distinctive;
        var anyLower = false;
        var allMatch = true;
        for (var k = 0; k < at.Length; k++)
        {
            var c = chars[at[k]];
            var wanted = alias.Cased[k];
            if (c != wanted)
            {
                allMatch = false;
                var plain = char.ToLowerInvariant(c);
                var wantedPlain = char.ToLowerInvariant(wanted);
                if (plain != wantedPlain)
                {
                    // Accents: a name of five or more letters is also found without them; with them only as one written letter.
                    if (alias.Key.Length < 5 || (text.Styles[at[k]] & Style.SeparateMark) != Style.None)
                        return false;
                }
            }

            if (char.IsLower(c))
                anyLower = true;
            if (k > 0 && !JointFits(chars, alias, k, at[k - 1] + 1, at[k], strict))
                return false;
        }

        if (allMatch || !strict)
            return true;
        return alias.Strictness switch
        {
            // "hp" typed for HP; "Ugg" for UGG. Never lower case for a name the request capitalises.
            AliasStrictness.Short => !alias.HasCapital ? !anyLower
                : alias.AllCapitals ? alias.Key.Length >= 3 && char.IsUpper(chars[at[0]]) && !OrdinaryWords.Contains(alias.Key)
                : !anyLower,
            AliasStrictness.OrdinaryPhrase => !anyLower || PartsCapitalised(chars, alias, at),
            _ => alias.HasCapital ? !anyLower || (char.IsUpper(chars[at[0]]) && alias.AllCapitals) : char.IsUpper(chars[at[0]]),
        };
    }

    private static bool PartsCapitalised(ReadOnlySpan<char> chars, BrandAlias alias, ReadOnlySpan<int> at)
    {
        for (var k = 0; k < at.Length; k++)
        {
            if (char.IsUpper(alias.Cased[k]) && (k == 0 || alias.Joints[k] is not BrandAlias.Joint.None) && !char.IsUpper(chars[at[k]]))
                return false;
        }

        return true;
    }

    private static bool JointFits(ReadOnlySpan<char> chars, BrandAlias alias, int k, int from, int to, bool strict)
    {
        var between = chars[from..to];
        var joint = alias.Joints[k];
        if (between.Length == 0)
            return joint is not BrandAlias.Joint.Space || alias.Key.Length >= 6 || char.IsUpper(chars[to]);

        var spaced = between.Contains(' ');
        switch (joint)
        {
            case BrandAlias.Joint.None:
                return !strict && !spaced && alias.Key.Length >= 6 && between is "-" or "'";
            case BrandAlias.Joint.Space:
                return !between.Contains('/') && (!between.Contains('.') || between is ". " || between is ".");
            case BrandAlias.Joint.Period:
                return between is "." or ". ";
            case BrandAlias.Joint.Hyphen or BrandAlias.Joint.Apostrophe:
                return spaced ? between is " " && CapitalAsIn(chars, alias, k, to) : between is "-" or "'" or ".";
            default:
                return !strict && (spaced ? between is " " && CapitalAsIn(chars, alias, k, to) : between is "-" or "'");
        }
    }

    private static bool CapitalAsIn(ReadOnlySpan<char> chars, BrandAlias alias, int k, int at) =>
        !char.IsUpper(alias.Cased[k]) || char.IsUpper(chars[at]) || char.IsDigit(chars[at]);

    // The end of the match with its possessive, plural or ".com"; 0 when the word goes on.
    private static int EndOf(VisibleText text, Block block, BrandAlias alias, int end, out bool needsGlue, out string? rejection)
    {
        needsGlue = false;
        rejection = null;
        var chars = text.Chars;
        if (end >= block.End)
            return end;

        var c = chars[end];
        if (c == '.' && end + 2 < block.End && TopLevelAt(text, block, end + 1) is var domainEnd and > 0)
        {
            if (domainEnd < block.End && chars[domainEnd] == '/' && domainEnd + 1 < block.End && Characters.IsWord(chars[domainEnd + 1]))
                rejection = IgnoredReason.Url;
            return domainEnd;
        }

        var last = Characters.ScriptAt(chars, end - 1);
        var next = Characters.ScriptAt(chars, end);
        if (c == '\'' || next is Characters.Script.None)
        {
            if (alias.Strictness is AliasStrictness.Short && c == '-' && end + 1 < block.End && char.IsLetter(chars[end + 1]) && !IsHyphenSuffix(text, block, end + 1))
                return 0;
            return end;
        }

        if (Characters.IsMark(c))
            return 0;
        if (IsFree(last) || IsFree(next) || (last is Characters.Script.Hangul && alias.Key.Length >= 2) || (last != next && (IsScripted(last) || IsScripted(next))))
            return end;

        if (alias.Strictness is AliasStrictness.Distinctive && alias.Key.Length >= 4 && c is 's' && char.IsLower(c) && !alias.Key.EndsWith('s') && BoundaryAt(text, block, end + 1))
            return end + 1;
        if (alias.Strictness is AliasStrictness.Distinctive && alias.Key.Length >= 4 && c is 'e' && end + 1 < block.End && chars[end + 1] == 's' && alias.Key[^1] is 's' or 'x' or 'h' && BoundaryAt(text, block, end + 2))
            return end + 2;

        if (alias.Strictness is AliasStrictness.Distinctive && alias.Key.Length >= 4 && char.IsUpper(c) && IsProductNoun(text, block, end))
            return end;
        if ((char.IsUpper(c) && !char.IsUpper(chars[end - 1])) || (char.IsDigit(c) && char.IsLetter(chars[end - 1])))
        {
            needsGlue = true;
            return end;
        }

        return 0;
    }

    // "eufyCam", "LenovoPad": the maker's name opens the product's.
    private static bool IsProductNoun(VisibleText text, Block block, int at)
    {
        var end = at;
        while (end < block.End && end - at < 8 && Characters.IsWord(text.Chars[end]))
            end++;
        return text.Folded[at..end] is "cam" or "cams" or "pad" or "book" or "buds" or "pods" or "watch" or "phone" or "vac" or "bot";
    }

    private static bool BoundaryAt(VisibleText text, Block block, int index) =>
        index >= block.End || !Characters.IsWord(text.Chars[index]);

    private static bool IsHyphenSuffix(VisibleText text, Block block, int at)
    {
        var rest = text.Folded[at..block.End];
        return rest.StartsWith("branded") || rest.StartsWith("owned") || rest.StartsWith("made") || rest.StartsWith("style") || rest.StartsWith("compatible");
    }

    private static int TopLevelAt(VisibleText text, Block block, int at)
    {
        var end = at;
        while (end < block.End && end - at < 6 && char.IsAsciiLetter(text.Chars[end]))
            end++;
        if (end - at < 2 || !BoundaryAt(text, block, end))
            return 0;
        return TopLevels.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text.Folded[at..end]) && !char.IsUpper(text.Chars[at]) ? end : 0;
    }

    private static string? StyleRejection(VisibleText text, int at)
    {
        var style = text.Styles[at];
        if ((style & Style.Code) != Style.None)
            return IgnoredReason.Code;
        if ((style & Style.Url) != Style.None)
            return IgnoredReason.Url;
        return (style & Style.Label) != Style.None ? IgnoredReason.SourceLabel : null;
    }

    // "shop.anker.com", "info@anker.com", "example.org/anker": a name inside an address.
    private static string? AddressRejection(VisibleText text, Block block, int start, int end)
    {
        if (start - 1 <= block.Start || !Characters.IsWord(text.Chars[start - 2]))
            return null;
        switch (text.Chars[start - 1])
        {
            case '@':
                return IgnoredReason.Url;
            case '.':
                // A lost space after a full stop looks alike: "…is expensive.eero offers"; an address has its ending.
                return text.Chars[start..end].Contains('.') || (end + 1 < block.End && text.Chars[end] == '.' && char.IsAsciiLetterLower(text.Chars[end + 1])) ? IgnoredReason.Url : null;
            case '/':
                var host = start - 1;
                while (host > block.Start && start - host < 80 && text.Chars[host - 1] is var c && (char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '/' or ':'))
                    host--;
                return text.Chars[host..(start - 1)].Contains('.') ? IgnoredReason.Url : null;
            default:
                return null;
        }
    }

    // "a 5 HP motor", "2.2 peak HP": horsepower.
    private static string? UnitRejection(VisibleText text, Block block, BrandAlias alias, int start, int end)
    {
        if (alias.Strictness is not AliasStrictness.Short || alias.Key.Length > 2)
            return null;
        var chars = text.Chars;
        var at = start;
        while (at > block.Start && chars[at - 1] is ' ' or '-')
            at--;
        var word = at;
        while (word > block.Start && Characters.IsWord(chars[word - 1]))
            word--;
        var isNumber = word < at && char.IsDigit(chars[word]);
        var isPeak = text.Folded[word..at] is "peak";
        if (!isNumber && !isPeak)
            return null;
        var next = end;
        while (next < block.End && chars[next] == ' ')
            next++;
        var nextIsName = next < block.End && char.IsUpper(chars[next]);
        return nextIsName && !isPeak ? null : IgnoredReason.NoCue;
    }

    // Plain text copied out of a page lost its line breaks: "…ease of use.Polar Pacer", "VelopAsus".
    private static bool IsGlued(VisibleText text, Block block)
    {
        var chars = text.Chars;
        var (punctuation, camel, words) = (0, 0, 1);
        for (var i = block.Start + 1; i + 1 < block.End; i++)
        {
            if (chars[i] == ' ')
                words++;
            if (!char.IsUpper(chars[i]) || !char.IsLower(chars[i + 1]))
                continue;
            var before = chars[i - 1];
            if (before is '.' or '!' or '?' or ')' or '%' || char.IsDigit(before))
                punctuation++;
            else if (char.IsLower(before))
                camel++;
        }

        return punctuation >= 2 || (camel >= 2 && camel * 4 >= words);
    }

    // Second look at ordinary words: is there a sign that the name is meant?
    private static List<NameMatch> Confirm(VisibleText text, List<NameMatch> matches, bool nounsAreCapitalised)
    {
        var confirmed = new HashSet<BrandAlias>();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < matches.Count; i++)
            {
                var match = matches[i];
                if (match.Accepted || match.Rejection is not null)
                    continue;
                if (HasCue(text, matches, i, nounsAreCapitalised, confirmed.Contains(match.Alias)))
                {
                    matches[i] = match with { Accepted = true };
                    confirmed.Add(match.Alias);
                }
            }
        }

        for (var i = 0; i < matches.Count; i++)
        {
            if (!matches[i].Accepted && matches[i].Rejection is null)
                matches[i] = matches[i] with { Rejection = IgnoredReason.NoCue };
        }

        return matches;
    }

    private static bool HasCue(VisibleText text, List<NameMatch> matches, int index, bool nounsAreCapitalised, bool confirmedElsewhere)
    {
        var match = matches[index];
        var block = text.Blocks[match.Block];
        var chars = text.Chars;
        if (match.End - match.Start > match.Alias.Key.Length + 2 && chars[match.Start..match.End].Contains('.'))
            return true; // its ".com"
        var capital = char.IsUpper(chars[match.Start]) || char.IsDigit(chars[match.Start]);
        if (match.Alias.Strictness is AliasStrictness.AlwaysCapitalWord && FollowsTimeWord(text, block, match.Start))
            return false;
        if (IsCoordinated(text, matches, index) || (capital && (HeadsListOfBrands(text, matches, index) || OpensEntryLikeOthers(text, matches, index))))
            return true;

        var sentenceStart = StartsSentence(text, block, match.Start);
        var next = NextWord(text, block, match.End, out var gap);
        if (gap is '-' && next.Length > 0 && char.IsLower(next[0]))
            return false; // "Ring-shaped"
        var folded = text.Folded.Slice(Math.Min(match.End + 1, text.Length), next.Length);
        var isAttribute = Attributes.GetAlternateLookup<ReadOnlySpan<char>>().Contains(folded);
        var nextIsName = gap is ' ' && next.ContainsAnyInRange('A', 'Z') && !isAttribute;
        // "On Amazon", "Next Year": a sentence may begin with such a word before any name.
        if (sentenceStart && block.Kind is BlockKind.Paragraph && (text.Styles[match.Start] & (Style.Bold | Style.Link)) == Style.None && FunctionWords.Contains(match.Alias.Key))
            nextIsName = false;
        var nextIsNumber = gap is ' ' && next.Length > 0 && char.IsDigit(next[0]);
        var nextIsVerb = gap is ' ' && Verbs.GetAlternateLookup<ReadOnlySpan<char>>().Contains(folded);
        if (match.Alias.Strictness is AliasStrictness.AlwaysCapitalWord)
            return confirmedElsewhere && (nextIsName || !sentenceStart);
        if (!capital)
            return false;
        if (char.IsDigit(chars[match.Start]))
            return nextIsName && (match.Start == block.Start || chars[match.Start - 1] == ' ');
        var shouts = !chars[match.Start..match.End].ContainsAnyInRange('a', 'z');
        if (shouts && match.Alias.AllCapitals)
            return !sentenceStart || nextIsName || nextIsNumber || gap is not ' ';
        if (shouts)
            return confirmedElsewhere;
        if (!confirmedElsewhere && ContinuesAnotherName(text, matches, index))
            return false;

        var titleCase = block.Kind is BlockKind.Heading || IsTitleCase(text, block, match);
        if ((nextIsName && (!titleCase || HasPriceSoon(text, block, match.End))) || FollowsPraise(text, block, match.Start, isAttribute))
            return true;
        if (sentenceStart)
        {
            return (gap is '\'' && next is "s") || nextIsVerb
                || ((nextIsName || nextIsNumber) && IsAtHead(text, block, match.Start) && (block.Kind is not BlockKind.Paragraph || (text.Styles[match.Start] & Style.Bold) != Style.None))
                || (confirmedElsewhere && (next.Length == 0 || gap is not ' ' || nextIsName || nextIsNumber));
        }

        if (titleCase)
            return confirmedElsewhere || (nextIsName && (text.Styles[match.Start] & (Style.Bold | Style.Link)) != Style.None);
        return !nounsAreCapitalised || confirmedElsewhere || nextIsName;
    }

    // "American Tourister Burst Max", "HP's Instant Ink": a word of somebody else's product.
    private static bool ContinuesAnotherName(VisibleText text, List<NameMatch> matches, int index)
    {
        var match = matches[index];
        var chars = text.Chars;
        var block = text.Blocks[match.Block];
        var end = match.Start - 1;
        if (end <= block.Start || chars[end] != ' ' || (index > 0 && matches[index - 1].Accepted && matches[index - 1].End == end))
            return false;
        if (index > 0 && matches[index - 1].Accepted && matches[index - 1].End + 2 == end && chars[end - 1] == 's')
            return true;
        var start = end;
        while (start > block.Start && Characters.IsWord(chars[start - 1]))
            start--;
        return start < end && char.IsUpper(chars[start]) && !StartsSentence(text, block, start)
            && !Openers.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text.Folded[start..end]);
    }

    // "on Monday", "every May"
    private static bool FollowsTimeWord(VisibleText text, Block block, int start)
    {
        var end = start - 1;
        if (end <= block.Start || text.Chars[end] != ' ')
            return false;
        var word = end;
        while (word > block.Start && Characters.IsWord(text.Chars[word - 1]))
            word--;
        return text.Folded[word..end] is "on" or "this" or "next" or "last" or "every" or "each" or "by" or "until" or "since" or "from" or "in" or "during" or "till" or "before" or "after";
    }

    // Nothing but ornaments and numbers stand before the name: "🥈 **Beats Fit Pro**".
    private static bool IsAtHead(VisibleText text, Block block, int start)
    {
        if (start - block.Start > 12)
            return false;
        for (var i = block.Start; i < start; i++)
        {
            if (char.IsLetter(text.Chars[i]))
                return false;
        }

        return true;
    }

    // "Best for families: Target", "Honorable Mention: Apple Watch": a label that announces a name.
    private static bool FollowsPraise(VisibleText text, Block block, int start, bool nextIsAttribute)
    {
        if (nextIsAttribute || start - block.Start is < 5 or > 70 || text.Chars[start - 1] != ' ' || text.Chars[start - 2] != ':')
            return false;
        var label = text.Folded[block.Start..(start - 2)];
        return label.IndexOfAny('.', ';', '?') < 0 && Phrases.Any(label, Announcements);
    }

    // A card of a shop: "Blink Mini Compact Indoor Plug-in Smart Security Camera$29.99".
    private static bool HasPriceSoon(VisibleText text, Block block, int at)
    {
        var ahead = text.Chars[at..Math.Min(block.End, at + 90)];
        var sign = ahead.IndexOfAny('$', '€', '£');
        return sign >= 0 && sign + 1 < ahead.Length && char.IsDigit(ahead[sign + 1]) && ahead[..sign].IndexOf(". ", StringComparison.Ordinal) < 0;
    }

    // In copied text without line breaks: "…purchases.Discover it Miles: a card …", beside entries of the same form.
    private static bool OpensEntryLikeOthers(VisibleText text, List<NameMatch> matches, int index)
    {
        var match = matches[index];
        if (!OpensEntry(text, match))
            return false;
        for (var step = -1; step <= 1; step += 2)
        {
            for (var i = index + step; i >= 0 && i < matches.Count && Math.Abs(i - index) <= 8 && matches[i].Block == match.Block; i += step)
            {
                if (matches[i].Accepted && matches[i].Alias.Brand != match.Alias.Brand && OpensEntry(text, matches[i]))
                    return true;
            }
        }

        return false;
    }

    /// <summary>Whether a name begins a sentence of the form "Polar Pacer Pro: a light watch …", an entry of a list without line breaks.</summary>
    public static bool OpensEntry(VisibleText text, NameMatch match)
    {
        var block = text.Blocks[match.Block];
        if (!StartsSentence(text, block, match.Start))
            return false;
        var ahead = text.Chars[match.End..Math.Min(block.End, match.End + 60)];
        var colon = ahead.IndexOf(':');
        return colon >= 0 && ahead[..colon].IndexOfAny('.', '!', '?') < 0 && colon + 1 < ahead.Length
            && (ahead[colon + 1] == ' ' || char.IsUpper(ahead[colon + 1])) && (colon == 0 || ahead[..colon].ContainsAnyInRange('A', 'Z') || ahead[..colon].ContainsAnyInRange('0', '9') || ahead[0] == '(' || ahead[1..].StartsWith("("));
    }

    // "Asana, Monday, and Trello", "Ring vs Arlo": a list in which another name is certain.
    private static bool IsCoordinated(VisibleText text, List<NameMatch> matches, int index)
    {
        return (index > 0 && Joined(matches[index - 1], matches[index - 1].End, matches[index].Start))
            || (index + 1 < matches.Count && Joined(matches[index + 1], matches[index].End, matches[index + 1].Start));

        bool Joined(NameMatch other, int from, int to)
        {
            if (!other.Accepted || to < from || to - from > 8 || other.Block != matches[index].Block || other.Alias.Brand == matches[index].Alias.Brand)
                return false;
            return text.Folded[from..to] is ", " or ", and " or ", or " or " and " or " or " or "/" or " / " or " & " or " vs " or " vs. " or " versus ";
        }
    }

    // The head of a list entry whose neighbours are headed by certain names of other brands.
    private static bool HeadsListOfBrands(VisibleText text, List<NameMatch> matches, int index)
    {
        var match = matches[index];
        var block = text.Blocks[match.Block];
        if (block.Kind is BlockKind.Code || !IsAtHead(text, block, match.Start))
            return false;
        if (block.Kind is BlockKind.Paragraph && (text.Styles[match.Start] & Style.Bold) == Style.None)
            return false;
        return Neighbour(-1) || Neighbour(1);

        bool Neighbour(int step)
        {
            for (var i = index + step; i >= 0 && i < matches.Count && Math.Abs(i - index) <= 24; i += step)
            {
                var other = matches[i];
                var otherBlock = text.Blocks[other.Block];
                if (other.Block == match.Block || !other.Accepted || !IsAtHead(text, otherBlock, other.Start))
                    continue;
                if (Math.Abs(other.Block - match.Block) > 24)
                    return false;
                if (otherBlock.Kind == block.Kind && otherBlock.Level == block.Level && otherBlock.Table == block.Table && otherBlock.Column == block.Column)
                    return other.Alias.Brand != match.Alias.Brand;
            }

            return false;
        }
    }

    private static bool StartsSentence(VisibleText text, Block block, int start)
    {
        var i = start - 1;
        while (i >= block.Start && text.Chars[i] is ' ' or '"' or '\'' or '(' or '[')
            i--;
        return i < block.Start || text.Chars[i] is '.' or '!' or '?' or ':' or ';' or '\n' or '|' or '-' or '•';
    }

    private static ReadOnlySpan<char> NextWordSpan(VisibleText text, Block block, int at)
    {
        var end = at;
        while (end < block.End && end - at < 24 && Characters.IsWord(text.Chars[end]))
            end++;
        return text.Folded[at..end];
    }

    private static ReadOnlySpan<char> NextWord(VisibleText text, Block block, int end, out char gap)
    {
        gap = end < block.End ? text.Chars[end] : '\n';
        if (end + 1 >= block.End)
            return [];
        return text.Chars.Slice(end + 1, NextWordSpan(text, block, end + 1).Length);
    }

    // Most words near the name carry capitals: a heading or label, where a capital says nothing.
    private static bool IsTitleCase(VisibleText text, Block block, NameMatch match)
    {
        var from = Math.Max(block.Start, match.Start - 60);
        var to = Math.Min(block.End, match.End + 60);
        var (capitals, words) = (0, 0);
        for (var i = from; i < to; i++)
        {
            if (i >= match.Start && i < match.End || !char.IsLetter(text.Chars[i]) || (i > block.Start && Characters.IsWord(text.Chars[i - 1])))
                continue;
            var lower = char.IsLower(text.Chars[i]);
            if (lower && NextWordSpan(text, block, i).Length <= 3)
                continue;
            words++;
            if (!lower)
                capitals++;
        }

        return words >= 2 && capitals * 10 >= words * 7;
    }
}
