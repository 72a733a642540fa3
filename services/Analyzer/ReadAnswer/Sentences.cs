using System.Runtime.InteropServices;

namespace Assay.Analyzer.ReadAnswer;

[StructLayout(LayoutKind.Auto)]
internal readonly record struct Sentence(int Start, int End, int Block, int Words);

/// <summary>Cuts the visible text into sentences; a sentence never spans two blocks and is never longer than a screenful.</summary>
internal static class Sentences
{
    // Bounds the work per sentence: whatever is longer is cut.
    private const int Longest = 1200;

    private static readonly string[] Abbreviations = ["e.g", "i.e", "vs", "mr", "mrs", "dr", "st", "etc", "inc", "ltd", "co", "no", "approx", "u.s", "oz", "ft", "sq", "lbs", "in"];

    public static List<Sentence> Cut(VisibleText text)
    {
        var sentences = new List<Sentence>();
        var chars = text.Chars;
        for (var b = 0; b < text.Blocks.Count; b++)
        {
            var block = text.Blocks[b];
            if (block.Kind is BlockKind.Code)
                continue;
            var start = block.Start;
            for (var i = block.Start; i < block.End; i++)
            {
                if (i - start < Longest && !IsEnd(text, block, start, i))
                    continue;
                Add(sentences, chars, start, i + 1, b);
                start = i + 1;
            }

            Add(sentences, chars, start, block.End, b);
        }

        return sentences;
    }

    /// <summary>The index of the sentence that holds a place in the text, or −1.</summary>
    public static int IndexAt(List<Sentence> sentences, int at)
    {
        var (low, high) = (0, sentences.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (sentences[middle].End <= at)
                low = middle + 1;
            else if (sentences[middle].Start > at)
                high = middle - 1;
            else
                return middle;
        }

        return -1;
    }

    private static void Add(List<Sentence> sentences, ReadOnlySpan<char> chars, int start, int end, int block)
    {
        while (start < end && char.IsWhiteSpace(chars[start]))
            start++;
        while (end > start && char.IsWhiteSpace(chars[end - 1]))
            end--;
        if (end > start)
            sentences.Add(new Sentence(start, end, block, CountWords(chars[start..end])));
    }

    public static int CountWords(ReadOnlySpan<char> chars)
    {
        var words = 0;
        var inWord = false;
        for (var i = 0; i < chars.Length; i++)
        {
            var script = Characters.ScriptOf(chars[i]);
            if (script is Characters.Script.Ideograph)
            {
                words++; // A script without spaces: about one word per two characters would be nearer; one is stable.
                inWord = false;
                continue;
            }

            var word = script is not Characters.Script.None || (inWord && chars[i] is '\'' or '-' or '.');
            if (word && !inWord)
                words++;
            inWord = word;
        }

        return words;
    }

    private static bool IsEnd(VisibleText text, Block block, int start, int i)
    {
        var chars = text.Chars;
        var c = chars[i];
        if (c is '\n' or '。' or '！' or '？')
            return true;
        if (c is not ('.' or '!' or '?'))
            return false;
        if (i + 1 >= block.End)
            return true;
        var next = chars[i + 1];
        if (c is not '.')
            return next is ' ' or '"' or ')' || char.IsUpper(next);
        if (next is not (' ' or '"' or ')' or '(' or '[') && !(char.IsUpper(next) && i > start && (char.IsLower(chars[i - 1]) || chars[i - 1] == ')')))
            return false;

        var word = i;
        while (word > start && word > i - 8 && (char.IsLetter(chars[word - 1]) || chars[word - 1] == '.'))
            word--;
        var before = text.Folded[word..i];
        if (before.Length == 1 && char.IsUpper(chars[word]))
            return false; // An initial: "J. Crew".
        foreach (var abbreviation in Abbreviations)
        {
            if (before.SequenceEqual(abbreviation))
                return false;
        }

        return true;
    }
}
