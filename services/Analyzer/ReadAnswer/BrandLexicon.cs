using Assay.PublicSuffix;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>All names of an audit's brand and competitors in one searchable form; built once per audit, safe to share.</summary>
internal sealed class BrandLexicon
{
    private const int LongestAlias = 100;

    private readonly Dictionary<long, int> _edges = [];
    private readonly List<List<BrandAlias>?> _terminals = [null];
    private readonly int[] _first = new int[128];
    private readonly Dictionary<string, int> _brandByDomain = new(StringComparer.OrdinalIgnoreCase);

    private BrandLexicon(IReadOnlyList<BrandEntry> brands)
    {
        Brands = brands;
        Features = [.. (brands.Count > 0 ? brands[0].Features : []).Select(f => f.Trim()).Where(f => f.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase).Select(Feature.Of)];
    }

    /// <summary>The audited brand first, then the competitors in the request's order.</summary>
    public IReadOnlyList<BrandEntry> Brands { get; }

    /// <summary>Every name searched for, with how strictly it is matched.</summary>
    public IReadOnlyList<BrandAlias> Aliases { get; private set; } = [];

    /// <summary>Names that two brands claim; the first brand has them.</summary>
    public IReadOnlyList<string> Conflicts { get; private set; } = [];

    /// <summary>The audited brand's key features.</summary>
    public IReadOnlyList<Feature> Features { get; }

    public static BrandLexicon Build(BrandEntry brand, IEnumerable<BrandEntry> competitors)
    {
        var lexicon = new BrandLexicon([brand, .. competitors]);
        var aliases = new List<BrandAlias>();
        var conflicts = new List<string>();
        var taken = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < lexicon.Brands.Count; i++)
        {
            var entry = lexicon.Brands[i];
            foreach (var name in Names(entry))
            {
                var alias = new BrandAlias(i, entry.Name, name);
                if (alias.Key.Length == 0)
                    continue;
                var identity = string.Create(null, $"{alias.Cased}\0{string.Concat(alias.Joints)}");
                if (taken.TryGetValue(identity, out var owner))
                {
                    if (owner != i)
                        conflicts.Add(name);
                    continue;
                }

                taken.Add(identity, i);
                aliases.Add(alias);
                lexicon.Add(alias);
            }

            if (RegistrableDomain.Of(entry.Domain) is { } domain)
                lexicon._brandByDomain.TryAdd(domain, i);
        }

        for (var c = 0; c < lexicon._first.Length; c++)
            lexicon._first[c] = lexicon.Next(0, (char)c);
        lexicon.Aliases = aliases;
        lexicon.Conflicts = conflicts;
        return lexicon;
    }

    /// <summary>The index of the brand that owns a registrable domain, or −1.</summary>
    public int BrandOfDomain(string? domain) => domain is not null && _brandByDomain.TryGetValue(domain, out var brand) ? brand : -1;

    /// <summary>The node behind the first character of a name, or −1: asked for every character of every answer.</summary>
    internal int First(char c) => c < _first.Length ? _first[c] : Next(0, c);

    internal int Next(int node, char c) => _edges.TryGetValue(((long)node << 16) | c, out var next) ? next : -1;

    internal IReadOnlyList<BrandAlias>? At(int node) => _terminals[node];

    private void Add(BrandAlias alias)
    {
        var node = 0;
        foreach (var c in alias.Key)
        {
            var edge = ((long)node << 16) | c;
            if (!_edges.TryGetValue(edge, out var next))
            {
                next = _terminals.Count;
                _terminals.Add(null);
                _edges.Add(edge, next);
            }

            node = next;
        }

        (_terminals[node] ??= []).Add(alias);
    }

    private static IEnumerable<string> Names(BrandEntry entry)
    {
        foreach (var raw in (string[])[entry.Name, .. entry.Aliases])
        {
            var name = raw.Trim();
            if (name.Length is 0 or > LongestAlias)
                continue;
            yield return name;
            if (name.Contains('&'))
                yield return name.Replace("&", name.Contains(" &", StringComparison.Ordinal) ? "and" : " and ", StringComparison.Ordinal);
            else if (name.Contains(" and ", StringComparison.OrdinalIgnoreCase))
                yield return name.Replace(" and ", " & ", StringComparison.OrdinalIgnoreCase);
            if (name.EndsWith('+'))
                yield return name[..^1] + " Plus";
            // monday.com is also called monday: searched too, as strictly as an ordinary word is.
            if (name.IndexOf(' ') < 0 && name.IndexOf('.') is > 2 and var dot && MentionMatcher.TopLevels.Contains(name[(dot + 1)..].ToLowerInvariant()))
                yield return name[..dot];
        }
    }
}

/// <summary>A key feature and the spellings it is found in: plural, joined by a space or a hyphen.</summary>
internal sealed record Feature(string Name, string[] Spellings)
{
    internal static Feature Of(string name)
    {
        var folded = MarkdownReader.Fold(name);
        string[] joined = [folded, folded.Replace(' ', '-'), folded.Replace('-', ' ')];
        return new Feature(name, [.. joined.Concat(joined.Where(j => j.Length > 3).Select(j => j + "s")).Where(j => j.Length > 0).Distinct(StringComparer.Ordinal)]);
    }
}
