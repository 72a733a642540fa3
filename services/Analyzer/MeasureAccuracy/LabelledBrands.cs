using System.Text;
using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.MeasureAccuracy;

/// <summary>
/// Turns the brand labels of a recorded set into brands. The labels are machine-made and spell freely; the rules are few:
/// (1) no brand, "Various", "Unknown" and "Generic" name nobody and are dropped; (2) legal forms and remarks in brackets go;
/// (3) "A / B" and "A x B" label both, "A by B" labels A; (4) names with the same letters and digits are one brand;
/// (5) a name that continues another labelled name by a word ("Layla Sleep", "Philips Sonicare") belongs to the shorter one.
/// </summary>
internal sealed class LabelledBrands
{
    private static readonly HashSet<string> Nobody = new(StringComparer.OrdinalIgnoreCase) { "Various", "Unknown", "Generic", "N/A", "None", "Multiple" };
    private static readonly string[] LegalForms = [", LLC", " LLC", ", Inc.", " Inc.", ", Inc", " Inc", " Ltd.", " Ltd", " GmbH"];

    private readonly Dictionary<string, string> _brandByKey;

    private LabelledBrands(Dictionary<string, string> brandByKey, BrandLexicon lexicon)
    {
        _brandByKey = brandByKey;
        Lexicon = lexicon;
    }

    public BrandLexicon Lexicon { get; }

    public static LabelledBrands From(IEnumerable<string?> labels)
    {
        var spellings = new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal);
        foreach (var name in labels.SelectMany(Names))
        {
            if (!spellings.TryGetValue(Key(name), out var counts))
                spellings.Add(Key(name), counts = new Dictionary<string, int>(StringComparer.Ordinal));
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        // The spelling used most often names the brand.
        var names = spellings.ToDictionary(s => s.Key, s => s.Value.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key, StringComparer.Ordinal);
        var brandByKey = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, name) in names)
            brandByKey[key] = names[Shortest(key, name, names)];

        var entries = brandByKey.GroupBy(b => b.Value, StringComparer.Ordinal)
            .Select(g => new BrandEntry { Name = g.Key, Aliases = [.. g.SelectMany(b => spellings[b.Key].Keys).Where(s => !string.Equals(s, g.Key, StringComparison.Ordinal)).Order(StringComparer.Ordinal)] })
            .OrderBy(e => e.Name, StringComparer.Ordinal).ToList();
        var lexicon = entries.Count == 0
            ? BrandLexicon.Build(new BrandEntry { Name = "" }, [])
            : BrandLexicon.Build(entries[0], entries.Skip(1));
        return new LabelledBrands(brandByKey, lexicon);
    }

    /// <summary>The brands a label names; none for a label that names nobody.</summary>
    public IEnumerable<string> Of(string? label) => Names(label).Select(name => _brandByKey[Key(name)]).Distinct(StringComparer.Ordinal);

    private static IEnumerable<string> Names(string? label)
    {
        if (string.IsNullOrWhiteSpace(label) || Nobody.Contains(label.Trim()))
            yield break;
        foreach (var part in label.Split([" / ", " x "], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var name = part;
            var bracket = name.IndexOf(" (", StringComparison.Ordinal);
            if (bracket > 0)
                name = name[..bracket];
            var by = name.IndexOf(" by ", StringComparison.Ordinal);
            if (by > 0)
                name = name[..by];
            foreach (var form in LegalForms)
            {
                if (name.EndsWith(form, StringComparison.OrdinalIgnoreCase))
                    name = name[..^form.Length];
            }

            if (Key(name).Length > 0)
                yield return name.Trim();
        }
    }

    private static string Shortest(string key, string name, Dictionary<string, string> names)
    {
        var words = name.Split(' ');
        for (var n = 1; n < words.Length; n++)
        {
            var shorter = Key(string.Join(' ', words[..n]));
            if (shorter.Length >= 3 && names.ContainsKey(shorter))
                return shorter;
        }

        return key;
    }

    private static string Key(string name)
    {
        var key = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (char.IsLetterOrDigit(c) || c is '+')
                key.Append(Characters.Fold(c));
            else if (c is '&')
                key.Append("and");
        }

        return key.ToString();
    }
}
