using Assay.Contracts.Internal.Analyzer;

namespace Assay.Dashboard.Answers;

/// <summary>A stretch of an answer: plain, or one mention.</summary>
sealed record TextPart(string Text, DescribedMention? Mention);

/// <summary>Cuts an answer at the offsets of its mentions. Pure; offsets are UTF-16 code units.</summary>
static class Highlight
{
    /// <summary>Parts whose texts together are exactly the answer. A mention that overlaps an earlier one or lies outside the text is left plain.</summary>
    public static IReadOnlyList<TextPart> Cut(string text, IEnumerable<DescribedMention> mentions)
    {
        List<TextPart> parts = [];
        var at = 0;
        foreach (var mention in mentions.OrderBy(m => m.Start).ThenByDescending(m => m.End))
        {
            if (mention.Start < at || mention.End <= mention.Start || mention.End > text.Length)
                continue;
            if (mention.Start > at)
                parts.Add(new TextPart(text[at..mention.Start], null));
            parts.Add(new TextPart(text[mention.Start..mention.End], mention));
            at = mention.End;
        }

        if (at < text.Length)
            parts.Add(new TextPart(text[at..], null));
        return parts;
    }
}
