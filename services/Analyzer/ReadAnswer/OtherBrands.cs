namespace Assay.Analyzer.ReadAnswer;

/// <summary>
/// Names that head entries of product lists and belong to no tracked brand. A heuristic that would rather miss a name than
/// invent one: the first word must carry a capital letter, be no ordinary word, and be followed by more of a product's name.
/// </summary>
internal static class OtherBrands
{
    private const int Most = 50;

    public static List<string> Discover(VisibleText text, ProductLists lists, IReadOnlyList<NameMatch> matches)
    {
        var headed = new HashSet<int>();
        foreach (var match in matches)
        {
            if (ProductLists.IsHead(text, text.Blocks[match.Block], match.Start))
                headed.Add(match.Block);
        }

        var names = new List<string>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var index in lists.EntryBlocks())
        {
            if (names.Count >= Most)
                break;
            if (!headed.Contains(index) && NameAt(text, text.Blocks[index]) is { } name && seen.Add(name))
                names.Add(name);
        }

        return names;
    }

    /// <summary>The name that heads a block, by its form alone; null when nothing there looks like one.</summary>
    public static string? NameAt(VisibleText text, Block block)
    {
        var head = text.Chars[block.Start..Math.Min(block.End, block.Start + 90)];
        var colon = head.IndexOf(": ", StringComparison.Ordinal);
        return First(head[..(colon < 0 ? head.Length : colon)]) ?? (colon < 0 ? null : First(head[(colon + 2)..]));
    }

    private static string? First(ReadOnlySpan<char> head)
    {
        var start = 0;
        while (start < head.Length && !char.IsLetterOrDigit(head[start]))
            start++;
        var end = start;
        while (end < head.Length && (Characters.IsWord(head[end]) || (head[end] is '-' or '\'' or '&' && end + 1 < head.Length && Characters.IsWord(head[end + 1]))))
            end++;
        var word = head[start..end];
        if (word.Length is < 2 or > 30 || !word.ContainsAnyInRange('A', 'Z') && !char.IsUpper(word[0]) || char.IsDigit(word[0]))
            return null;
        if (word.EndsWith("'s", StringComparison.Ordinal))
            word = word[..^2];
        var folded = string.Concat(word.ToString().Select(Characters.Fold));
        if (folded.Split('-', '\'').All(OrdinaryWords.Contains))
            return null;
        // "Sony WH-1000XM5" or a name alone; "Noise-cancelling headphones" starts no product's name.
        var rest = head[end..].TrimStart();
        var alone = rest.Length == 0 || !Characters.IsWord(rest[0]);
        return alone || char.IsUpper(rest[0]) || char.IsDigit(rest[0]) ? word.ToString() : null;
    }
}
