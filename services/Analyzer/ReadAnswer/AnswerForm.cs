namespace Assay.Analyzer.ReadAnswer;

/// <summary>Heuristics about an answer's form. They stay outside the headline score and are labelled as heuristics where shown.</summary>
internal static class AnswerForm
{
    /// <summary>
    /// 0 to 1: a direct first paragraph of 15 to 70 words (.35), three or more entries in lists or tables (.25), a heading (.1),
    /// an opening sentence that takes up the words asked (.2), 40 to 600 words in all (.1).
    /// </summary>
    public static double SnippetPotential(VisibleText text, List<Sentence> sentences, string query, int words)
    {
        if (sentences.Count == 0)
            return 0;
        var score = 0.0;
        var first = FirstParagraphWords(text, sentences);
        if (first is >= 15 and <= 70)
            score += .35;
        else if (first is >= 8 and <= 100)
            score += .15;
        var (entries, headings) = (0, 0);
        foreach (var block in text.Blocks)
        {
            entries += block.Kind is BlockKind.ListItem || (block.Kind is BlockKind.Cell && block.Column == 0) ? 1 : 0;
            headings += block.Kind is BlockKind.Heading ? 1 : 0;
        }

        score += entries >= 3 ? .25 : 0;
        score += headings > 0 ? .1 : 0;
        score += .2 * SharedWords(text, sentences[0], query);
        score += words is >= 40 and <= 600 ? .1 : 0;
        return Math.Round(Math.Min(1, score), 4);
    }

    /// <summary>
    /// 0 to 1: short sentences (.35 up to 18 words on average, falling to 0 at 36), a first sentence of at most 30 words (.25),
    /// no table, code or bare address (.2), short enough to listen to (.2 up to 120 words, falling to 0 at 400).
    /// </summary>
    public static double VoiceFitness(VisibleText text, List<Sentence> sentences, int words)
    {
        if (sentences.Count == 0)
            return 0;
        var mean = (double)words / sentences.Count;
        var score = .35 * Math.Clamp((36 - mean) / 18, 0, 1);
        score += sentences[0].Words <= 30 ? .25 : 0;
        score += text.Blocks.Any(b => b.Kind is BlockKind.Cell or BlockKind.Code) || text.Links.Any(l => l.End > l.Start && (text.Styles[l.Start] & Style.Url) != Style.None) ? 0 : .2;
        score += .2 * Math.Clamp((400.0 - words) / 280, 0, 1);
        return Math.Round(Math.Min(1, score), 4);
    }

    private static int FirstParagraphWords(VisibleText text, List<Sentence> sentences)
    {
        var block = sentences[0].Block;
        if (text.Blocks[block].Kind is BlockKind.Heading && sentences.Count > 1)
            block = sentences[1].Block;
        var words = 0;
        foreach (var sentence in sentences)
        {
            if (sentence.Block > block)
                break;
            if (sentence.Block == block)
                words += sentence.Words;
        }

        return words;
    }

    private static double SharedWords(VisibleText text, Sentence sentence, string query)
    {
        var asked = MarkdownReader.Fold(query.Length > 1000 ? query[..1000] : query)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(w => w.Trim('?', '.', ',', '!', '"', '\''))
            .Where(w => w.Length >= 4).Distinct(StringComparer.Ordinal).ToList();
        if (asked.Count == 0)
            return 0;
        var said = text.Folded[sentence.Start..sentence.End];
        var shared = 0;
        foreach (var word in asked)
            shared += said.IndexOf(word, StringComparison.Ordinal) >= 0 ? 1 : 0;
        return (double)shared / asked.Count;
    }
}
