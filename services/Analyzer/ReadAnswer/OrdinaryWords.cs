using System.Collections.Frozen;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>English words that are also brand names: apple, ring, box, chase, zoom.</summary>
internal static class OrdinaryWords
{
    /// <summary>Words that carry a capital letter in any text, so that the capital is no sign of a brand.</summary>
    private static readonly FrozenSet<string> AlwaysCapital = new[]
    {
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Words the size-35 list leaves out and brands use.
    private static readonly string[] Additions = ["ninja", "max", "app", "online", "web", "wifi", "blog", "email", "internet"];

    private static readonly FrozenSet<string> Words = Load();

    public static bool Contains(string folded) => Words.Contains(folded) || AlwaysCapital.Contains(folded);

    public static bool IsAlwaysCapital(string folded) => AlwaysCapital.Contains(folded);

    private static FrozenSet<string> Load()
    {
        using var stream = typeof(OrdinaryWords).Assembly.GetManifestResourceStream("ordinary-words.txt")
            ?? throw new InvalidOperationException("The list of ordinary words is missing from the assembly Assay.Analyzer: rebuild it with ordinary-words.txt embedded.");
        using var reader = new StreamReader(stream);
        var words = new HashSet<string>(40_000, StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#')
                words.Add(line);
        }

        words.UnionWith(Additions);
        return words.ToFrozenSet(StringComparer.Ordinal);
    }
}
