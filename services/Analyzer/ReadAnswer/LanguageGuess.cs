using System.Collections.Frozen;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>Tells an answer's language by script and stop words: enough to flag an answer in another language than asked.</summary>
internal static class LanguageGuess
{
    private const int Enough = 400;

    private static readonly (string Language, string Words)[] StopWords =
    [
        ("en", "the and of to in is for with that are on as it this you your can be or have from but which they more not at has an by will if these their what who"),
        ("de", "der die das und ist nicht ein eine einen einem einer mit für auf sie ich zu den dem von im es auch sich bei oder wie sind wird werden als aus nach über haben kann"),
        ("fr", "le la les et est un une des du pour dans que qui sur avec pas plus ce cette vous sont au aux par ou votre il elle nous mais leur très être"),
        ("es", "el la los las y es un una que en de para con por del se su más como pero sus este esta son si muy o al lo tiene también entre puede"),
        ("it", "il lo la gli le e è un una che di per con non del della sono più come ma anche questo questa nel alla dei si ha può sul delle molto"),
        ("pt", "o a os as e é um uma que em de para com não por do da se mais como mas seu sua este esta são também ao pode muito ou das dos você"),
        ("nl", "de het een en van is dat op te voor met zijn niet aan er ook als om bij maar naar worden dit die deze kan heeft uw je u of meer wordt"),
        ("pl", "i w na z do nie jest to się że dla jak są o po przez od oraz lub ten tym co które który może są bardzo"),
        ("sv", "och att det som en är på för med av till den inte ett om har de kan du eller från var men så vid mycket"),
        ("tr", "ve bir bu için ile de da en çok olarak daha olan gibi ya veya ancak kadar ise her sonra göre"),
    ];

    // One lookup a word: which of the languages have it.
    private static readonly FrozenDictionary<string, int> LanguagesOf = StopWords
        .SelectMany((language, index) => language.Words.Split(' ').Select(word => (Word: string.Concat(word.Select(Characters.Fold)), Bit: 1 << index)))
        .GroupBy(w => w.Word, StringComparer.Ordinal)
        .ToFrozenDictionary(g => g.Key, g => g.Aggregate(0, (bits, w) => bits | w.Bit), StringComparer.Ordinal);

    /// <summary>The language as a two-letter code, or null when the text is too short or too mixed to tell.</summary>
    public static string? Of(VisibleText text)
    {
        if (ByScript(text) is { } script)
            return script;

        Span<int> hits = stackalloc int[StopWords.Length];
        var words = 0;
        var lookup = LanguagesOf.GetAlternateLookup<ReadOnlySpan<char>>();
        var folded = text.Folded;
        for (var i = 0; i < folded.Length && words < Enough;)
        {
            if (!Characters.IsWord(folded[i]))
            {
                i++;
                continue;
            }

            var end = i;
            while (end < folded.Length && Characters.IsWord(folded[end]))
                end++;
            if (end - i <= 12 && (text.Styles[i] & (Style.Code | Style.Url)) == Style.None)
            {
                words++;
                if (lookup.TryGetValue(folded[i..end], out var languages))
                {
                    for (var l = 0; languages != 0; l++, languages >>= 1)
                        hits[l] += languages & 1;
                }
            }

            i = end;
        }

        var (best, second) = (0, -1);
        for (var l = 1; l < hits.Length; l++)
        {
            if (hits[l] > hits[best])
                (second, best) = (best, l);
            else if (second < 0 || hits[l] > hits[second])
                second = l;
        }

        // A list of product names holds few stop words; say nothing then.
        return words >= 12 && hits[best] >= 4 && hits[best] * 12 >= words && hits[best] >= hits[second] * 1.3 ? StopWords[best].Language : null;
    }

    /// <summary>Whether the language can be the one the locale asks for; unknown counts as right.</summary>
    public static bool Matches(string? language, string? locale)
    {
        if (language is null || string.IsNullOrWhiteSpace(locale))
            return true;
        var end = locale.AsSpan().IndexOfAny('-', '_');
        var asked = locale[..(end < 0 ? locale.Length : end)].ToLowerInvariant();
        if (string.Equals(asked, language, StringComparison.Ordinal))
            return true;
        // One script serves several languages, and neighbours among the unlisted ones look alike: only a clear difference counts.
        return language switch
        {
            "ru" => asked is "uk" or "bg" or "sr" or "mk" or "be" or "kk",
            "ar" => asked is "fa" or "ur" or "ps",
            "hi" => asked is "mr" or "ne",
            "en" or "ja" or "zh" or "ko" or "he" or "el" or "th" => false,
            _ => !StopWords.Any(s => string.Equals(s.Language, asked, StringComparison.Ordinal)) && asked is not ("ja" or "zh" or "ko" or "ru" or "ar" or "he" or "el" or "th" or "hi"),
        };
    }

    private static string? ByScript(VisibleText text)
    {
        var (latin, cyrillic, han, kana, hangul, arabic, hebrew, greek, thai, devanagari, total) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        foreach (var c in text.Chars[..Math.Min(text.Length, 4000)])
        {
            if (!char.IsLetter(c))
                continue;
            total++;
            switch ((int)c)
            {
                case < 0x250: latin++; break;
                case >= 0x370 and < 0x400: greek++; break;
                case >= 0x400 and < 0x530: cyrillic++; break;
                case >= 0x590 and < 0x600: hebrew++; break;
                case >= 0x600 and < 0x780: arabic++; break;
                case >= 0x900 and < 0x980: devanagari++; break;
                case >= 0xE00 and < 0xE80: thai++; break;
                case >= 0x3040 and < 0x3100: kana++; break;
                case >= 0xAC00 and < 0xD7B0: hangul++; break;
                case >= 0x3400 and < 0xA000: han++; break;
            }
        }

        // Foreign answers keep brand names in Latin letters: a third of another script is enough.
        if (total < 12 || latin * 3 > total * 2)
            return null;
        if (kana * 5 > total)
            return "ja";
        (string Language, int Count)[] scripts = [("zh", han), ("ko", hangul), ("ru", cyrillic), ("ar", arabic), ("he", hebrew), ("el", greek), ("th", thai), ("hi", devanagari)];
        var best = scripts.MaxBy(s => s.Count);
        return best.Count * 3 > total ? best.Language : null;
    }
}
