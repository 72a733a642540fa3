using System.Text;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines;

/// <summary>Providers' words as databases and JSON writers accept them: PostgreSQL refuses U+0000, UTF-8 refuses unpaired surrogates.</summary>
internal static class SafeText
{
    const int ShortLength = 200;

    /// <summary>The text with U+FFFD for what cannot be stored, length kept; the same instance where nothing is wrong.</summary>
    public static string Clean(string text)
    {
        var bad = FirstBad(text, 0);
        if (bad < 0)
            return text;
        var clean = new StringBuilder(text);
        for (; bad >= 0; bad = FirstBad(text, bad + 1))
            clean[bad] = '\uFFFD';
        return clean.ToString();
    }

    /// <summary>A model's or error's name: clean, one line, bounded.</summary>
    public static string? Short(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var clean = Clean(Cut(text.Trim(), ShortLength));
        return clean.AsSpan().IndexOfAny('\r', '\n') < 0 ? clean : clean.ReplaceLineEndings(" ");
    }

    /// <summary>At most so many UTF-16 code units, never half a character.</summary>
    public static string Cut(string text, int length)
    {
        if (text.Length <= length)
            return text;
        return length > 0 && char.IsHighSurrogate(text[length - 1]) ? text[..(length - 1)] : text[..length];
    }

    static int FirstBad(string text, int from)
    {
        for (var i = from; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\0')
                return i;
            if (!char.IsSurrogate(c))
                continue;
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else
                return i;
        }
        return -1;
    }
}

/// <summary>Collects sources in their order, without duplicates, bounded.</summary>
internal sealed class SourceList
{
    const int MaxSources = 200;
    const int MaxUrl = 2048;
    const int MaxTitle = 500;

    readonly List<AnswerSource> sources = [];
    readonly Dictionary<string, int> byUrl = new(StringComparer.Ordinal);

    public IReadOnlyList<AnswerSource> Sources => sources;

    public int Count => sources.Count;

    /// <summary>Adds a source; a URL already known only gains what was unknown about it. What is no web address, or too long for one, is left out.</summary>
    public void Add(string? url, string? title, bool? cited)
    {
        if (string.IsNullOrWhiteSpace(url) || url.Length > MaxUrl
            || !Uri.TryCreate(url.Trim(), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            return;
        url = SafeText.Clean(url.Trim());
        title = string.IsNullOrWhiteSpace(title) ? null : SafeText.Clean(SafeText.Cut(title.Trim(), MaxTitle));
        if (byUrl.TryGetValue(url, out var index))
        {
            var known = sources[index];
            sources[index] = known with { Title = known.Title ?? title, Cited = known.Cited == true || cited == true ? true : known.Cited ?? cited };
            return;
        }
        if (sources.Count == MaxSources)
            return;
        byUrl.Add(url, sources.Count);
        sources.Add(new AnswerSource { Url = url, Title = title, Cited = cited });
    }
}
