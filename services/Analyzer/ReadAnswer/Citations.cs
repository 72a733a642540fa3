using System.Net;
using Assay.PublicSuffix;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>Collects the sources of an answer: those its text cites and those the engine only retrieved.</summary>
internal static class Citations
{
    private const int Most = 500;

    public static List<Citation> Collect(VisibleText text, List<Sentence> sentences, IReadOnlyList<AnswerSource> sources, BrandLexicon lexicon)
    {
        var byAddress = new Dictionary<string, (string Url, string? Title, int? Start, HashSet<int> Sentences)>(StringComparer.Ordinal);
        var order = new List<string>();
        foreach (var link in text.Links)
        {
            if (order.Count >= Most)
                break;
            if (Address(link.Url) is not { } address)
                continue;
            if (!byAddress.TryGetValue(address, out var known))
            {
                known = (WebUtility.HtmlDecode(link.Url!), link.Title ?? TitleOf(text, link), link.SourceStart, []);
                byAddress.Add(address, known);
                order.Add(address);
            }

            if (CitedSentence(text, sentences, link) is >= 0 and var sentence)
                known.Sentences.Add(sentence);
        }

        foreach (var source in sources)
        {
            if (order.Count >= Most)
                break;
            if (Address(source.Url) is not { } address)
                continue;
            var title = string.IsNullOrWhiteSpace(source.Title) ? null : source.Title;
            if (!byAddress.TryGetValue(address, out var known))
            {
                byAddress.Add(address, (WebUtility.HtmlDecode(source.Url), title, null, []));
                order.Add(address);
            }
            else if (title is not null)
            {
                byAddress[address] = known with { Title = title };
            }
        }

        return Weigh(order.ConvertAll(address => byAddress[address]), sentences, lexicon);
    }

    private static List<Citation> Weigh(List<(string Url, string? Title, int? Start, HashSet<int> Sentences)> found, List<Sentence> sentences, BrandLexicon lexicon)
    {
        var perSentence = new Dictionary<int, int>();
        foreach (var sentence in found.SelectMany(f => f.Sentences))
            perSentence[sentence] = perSentence.GetValueOrDefault(sentence) + 1;
        var words = 0.0;
        var weighted = 0.0;
        for (var s = 0; s < sentences.Count; s++)
        {
            words += sentences[s].Words;
            weighted += sentences[s].Words * PositionWeight(s, sentences.Count);
        }

        var citations = new List<Citation>(found.Count);
        foreach (var (url, title, start, cited) in found)
        {
            var domain = RegistrableDomain.Of(url);
            var brand = lexicon.BrandOfDomain(domain);
            citations.Add(new Citation
            {
                Url = url,
                Domain = domain,
                Title = title,
                Start = start,
                Brand = brand < 0 ? null : lexicon.Brands[brand].Name,
                Category = brand switch { 0 => CitationCategory.Owned, > 0 => CitationCategory.Competitor, _ => CitationCategory.ThirdParty },
                WordShare = words > 0 ? cited.Sum(s => (double)sentences[s].Words / perSentence[s]) / words : 0,
                PositionShare = weighted > 0 ? cited.Sum(s => sentences[s].Words * PositionWeight(s, sentences.Count) / perSentence[s]) / weighted : 0,
            });
        }

        return citations;
    }

    /// <summary>The weight e^(−pos/|S|) of a sentence; the first one stands at 0.</summary>
    public static double PositionWeight(int sentence, int count) => Math.Exp(-(double)sentence / Math.Max(1, count));

    /// <summary>The sentence a link supports: its own, or for a label in brackets behind a full stop the one before. −1 for none.</summary>
    public static int CitedSentence(VisibleText text, List<Sentence> sentences, TextLink link)
    {
        var at = Math.Min(link.Start, text.Length - 1);
        var index = Sentences.IndexAt(sentences, at);
        if (index < 0)
        {
            // Behind the full stop, before the next sentence.
            var (low, high) = (0, sentences.Count - 1);
            while (low <= high)
            {
                var middle = (low + high) / 2;
                if (sentences[middle].End <= at)
                    low = middle + 1;
                else
                    high = middle - 1;
            }

            return high;
        }

        if (!link.IsLabel)
            return index;
        var sentence = sentences[index];
        var hasOwnWords = Sentences.CountWords(text.Chars[sentence.Start..Math.Max(sentence.Start, Math.Min(at, sentence.End))]) > 0;
        return !hasOwnWords && index > 0 && sentences[index - 1].Block == sentence.Block ? index - 1 : index;
    }

    private static string? TitleOf(VisibleText text, TextLink link)
    {
        if (link.End <= link.Start || (text.Styles[link.Start] & Style.Url) != Style.None)
            return null;
        var title = text.Chars[link.Start..Math.Min(link.End, link.Start + 200)].Trim();
        return title.Length == 0 ? null : title.ToString();
    }

    // One source however it is linked: no scheme, "www.", fragment, trailing slash or tracking parameters.
    private static string? Address(string? url)
    {
        if (string.IsNullOrWhiteSpace(url) || url.Length > 8 * 1024)
            return null;
        url = WebUtility.HtmlDecode(url.Trim());
        var isWeb = url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || url.StartsWith("www.", StringComparison.OrdinalIgnoreCase);
        if (!isWeb || RegistrableDomain.HostOf(url) is not { } host)
            return null;
        // A link into the engine's own search page is part of its interface, not a source.
        if (host is "chatgpt.com" or "chat.openai.com" && url.Contains("hints=search", StringComparison.Ordinal))
            return null;

        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? url.AsSpan() : url.AsSpan(scheme + 3);
        var fragment = rest.IndexOf('#');
        if (fragment >= 0)
            rest = rest[..fragment];
        var query = rest.IndexOf('?');
        var path = query < 0 ? rest : rest[..query];
        var slash = path.IndexOf('/');
        var parameters = query < 0 ? [] : rest[(query + 1)..].ToString().Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Where(p => !p.StartsWith("utm_", StringComparison.OrdinalIgnoreCase) && !p.StartsWith("srsltid=", StringComparison.OrdinalIgnoreCase)
                && !p.StartsWith("gclid=", StringComparison.OrdinalIgnoreCase) && !p.StartsWith("_gsid=", StringComparison.OrdinalIgnoreCase))
            .ToArray();
        var name = host.StartsWith("www.", StringComparison.Ordinal) ? host[4..] : host;
        return $"{name}{(slash < 0 ? "" : path[slash..].TrimEnd('/'))}{(parameters.Length == 0 ? "" : "?" + string.Join('&', parameters))}";
    }
}
