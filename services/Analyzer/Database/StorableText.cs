namespace Assay.Analyzer.Database;

/// <summary>Makes texts fit for both databases without moving a single offset.</summary>
static class StorableText
{
    /// <summary>
    /// The text, with NUL and lone surrogates replaced by U+FFFD one for one: PostgreSQL's text type can hold neither.
    /// </summary>
    public static string Of(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (Fits(text, i))
                continue;
            return string.Create(text.Length, text, static (span, source) =>
            {
                for (var j = 0; j < source.Length; j++)
                    span[j] = Fits(source, j) ? source[j] : '\uFFFD';
            });
        }

        return text;
    }

    static bool Fits(string text, int i)
    {
        var c = text[i];
        if (char.IsHighSurrogate(c))
            return i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
        if (char.IsLowSurrogate(c))
            return i > 0 && char.IsHighSurrogate(text[i - 1]);
        return c != '\0';
    }
}
