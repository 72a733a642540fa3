namespace Assay.Analyzer.ReadAnswer;

/// <summary>Searches fixed phrases in folded text, at word boundaries.</summary>
internal static class Phrases
{
    /// <summary>Where the first of the phrases begins, and its end; (−1, −1) when none stands in the text.</summary>
    public static (int Start, int End) Find(ReadOnlySpan<char> folded, ReadOnlySpan<string> phrases)
    {
        var best = (Start: -1, End: -1);
        foreach (var phrase in phrases)
        {
            var at = IndexOf(folded, phrase);
            if (at >= 0 && (best.Start < 0 || at < best.Start))
                best = (at, at + phrase.Length);
        }

        return best;
    }

    public static bool Any(ReadOnlySpan<char> folded, ReadOnlySpan<string> phrases)
    {
        foreach (var phrase in phrases)
        {
            if (IndexOf(folded, phrase) >= 0)
                return true;
        }

        return false;
    }

    public static int IndexOf(ReadOnlySpan<char> folded, string phrase)
    {
        for (var from = 0; from < folded.Length;)
        {
            var at = folded[from..].IndexOf(phrase, StringComparison.Ordinal);
            if (at < 0)
                return -1;
            at += from;
            var end = at + phrase.Length;
            if ((at == 0 || !Characters.IsWord(folded[at - 1])) && (end >= folded.Length || !Characters.IsWord(folded[end])))
                return at;
            from = at + 1;
        }

        return -1;
    }
}
