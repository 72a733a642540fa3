using System.Runtime.InteropServices;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>Stretches of an answer in which a name is no mention: it is said to be unknown, or the question is repeated.</summary>
internal static class Exclusions
{
    // The name follows: "I couldn't find any information about X".
    private static readonly string[] AbsenceBefore =
    [
        "couldn't find", "could not find", "can't find", "cannot find", "wasn't able to find", "was not able to find", "unable to find", "didn't find",
        "did not find", "unable to locate", "couldn't locate", "could not locate", "couldn't verify", "could not verify", "unable to verify", "cannot verify",
        "can't verify", "no information about", "no information on", "no information available", "no information regarding", "no information is available",
        "no reliable information", "no specific information", "no verifiable information", "no details about", "no details on", "no data on", "no results for",
        "no record of", "no mention of", "no evidence of", "don't have information", "do not have information", "don't have any information",
        "do not have any information", "don't have specific information", "don't have details", "do not have details", "don't have enough information",
        "don't have data", "not familiar with", "unfamiliar with", "not aware of", "unaware of", "never heard of", "haven't heard of", "don't know of",
        "don't know anything about", "do not know anything about", "no knowledge of", "there is no brand called", "there is no company called",
        "there isn't a brand called", "no product called", "no brand named", "no such brand", "not sure what", "no known brand", "no widely known", "no company called",
        "no company named", "isn't a product called", "is no product called", "can't confirm", "cannot confirm",
        "keine informationen", "nicht bekannt", "aucune information", "no he encontrado informacion", "no tengo informacion", "nessuna informazione",
    ];

    // The name stands before: "X does not appear to be a known brand".
    private static readonly string[] AbsenceAfter =
    [
        "doesn't appear to be", "does not appear to be", "doesn't appear to exist", "does not appear to exist", "doesn't seem to exist", "does not seem to exist",
        "doesn't seem to be a", "does not seem to be a", "isn't a brand i", "is not a brand i", "is not a known", "isn't a known", "is not a recognized",
        "isn't a recognized", "is not a widely recognized", "isn't a widely recognized", "could not be found", "couldn't be found", "cannot be found",
        "could not be verified", "couldn't be verified", "does not exist", "doesn't exist", "is unknown to me", "isn't a brand that i", "is not a brand that i", "is not a real", "isn't a real", "is not one i", "isn't one i",
        "is not familiar to me", "isn't familiar to me", "might be a typo", "may be a typo", "could be a typo", "might be a misspelling", "may be a misspelling", "seems to be fictional", "is fictional", "is not something i", "is not in my",
        "may be fictional", "appears to be fictional", "might be fictional", "didn't come up", "did not come up", "was not mentioned", "wasn't mentioned", "is not mentioned",
    ];

    // "There is no publicly available information about X": a negation shortly before, whatever stands between.
    private static readonly string[] Knowledge = ["information about", "information on", "information regarding", "info on", "info about", "details about", "details on", "record of", "data on", "knowledge of", "knowledge about"];
    private static readonly string[] Lacks = ["no", "not", "don't", "doesn't", "couldn't", "can't", "cannot", "unable", "isn't", "aren't", "lack", "without", "wasn't", "haven't"];

    private static readonly string[] Turns = ["but", "however", "although", "though", "instead", "that said", "nevertheless", "whereas", "while", "here are", "here is", "consider"];

    // What stands around an answer on the engine's page, and how far it reaches.
    private static readonly (string Phrase, int Length)[] InterfacePhrases =
    [
        ("ai responses may include mistakes", 260), ("ai-generated content may be incorrect", 260), ("generative ai is experimental", 260),
        ("your feedback helps google improve", 120), ("thank youyour feedback helps", 120), ("map data", 40),
    ];

    private static readonly string[] Refusals =
    [
        "i can't help", "i cannot help", "i can't assist", "i cannot assist", "i'm unable to help", "i am unable to help", "i'm unable to assist",
        "i am unable to assist", "i can't provide", "i cannot provide", "i'm not able to provide", "i am not able to provide", "i can't answer",
        "i cannot answer", "i'm not able to answer", "i can't recommend", "i cannot recommend", "i'm unable to provide", "i am unable to provide", "i won't be able to",
        "i'm not able to help", "i am not able to help", "i can't comply", "i cannot comply", "i must decline", "i can't fulfill", "i cannot fulfill", "i can't create", "i can't discuss",
        "ich kann ihnen dabei nicht helfen", "ich kann dabei nicht helfen", "je ne peux pas vous aider", "no puedo ayudar", "non posso aiutar",
    ];

    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Stretch(int Start, int End, string Reason);

    /// <summary>
    /// A short answer that opens by declining. A disclaimer before real recommendations ("I can't browse, but here are …") is none.
    /// </summary>
    public static bool IsRefusal(VisibleText text, List<Sentence> sentences)
    {
        if (sentences.Count is 0 or > 8 || text.Blocks.Count > 8)
            return false;
        var words = 0;
        foreach (var sentence in sentences)
            words += sentence.Words;
        if (words > 120)
            return false;
        var opening = text.Folded[..Math.Min(text.Length, 300)];
        var (start, end) = Phrases.Find(opening, Refusals);
        return start >= 0 && !Phrases.Any(text.Folded[end..], ["here are", "here is", "but i can", "however, i can", "consider", "recommend the", "popular options"]);
    }

    public static List<Stretch> Absences(VisibleText text, List<Sentence> sentences, IEnumerable<int> sentencesWithNames)
    {
        var stretches = new List<Stretch>();
        foreach (var index in sentencesWithNames)
        {
            var sentence = sentences[index];
            var folded = text.Folded[sentence.Start..sentence.End];
            var (start, end) = Phrases.Find(folded, AbsenceBefore);
            if (start < 0 && Phrases.Find(folded, Knowledge) is { Start: >= 0 } known && Phrases.Any(folded[Math.Max(0, known.Start - 45)..known.Start], Lacks))
                (start, end) = known;
            if (start >= 0)
            {
                var turn = Phrases.Find(folded[end..], Turns).Start;
                stretches.Add(new Stretch(sentence.Start + start, turn < 0 ? sentence.End : sentence.Start + end + turn, IgnoredReason.Absence));
            }

            (start, end) = Phrases.Find(folded, AbsenceAfter);
            if (start >= 0)
            {
                var from = 0;
                foreach (var turn in Turns)
                {
                    var at = Phrases.IndexOf(folded[..start], turn);
                    if (at >= 0)
                        from = Math.Max(from, at + turn.Length);
                }

                stretches.Add(new Stretch(sentence.Start + from, sentence.Start + end, IgnoredReason.Absence));
            }
        }

        return stretches;
    }

    /// <summary>Where the opening of an answer repeats the question, word by word.</summary>
    public static List<Stretch> Echoes(VisibleText text, string query)
    {
        var stretches = new List<Stretch>();
        var asked = Words(MarkdownReader.ReadPlain(query.Length > 1000 ? query[..1000] : query).Folded);
        if (asked.Count < 3)
            return stretches;
        var shortest = Math.Max(3, (int)Math.Ceiling(asked.Count * 0.6));
        var queryText = MarkdownReader.ReadPlain(query.Length > 1000 ? query[..1000] : query);
        var opening = text.Folded[..Math.Min(text.Length, 1500)];
        var said = Words(opening);
        for (var i = 0; i < said.Count; i++)
        {
            for (var j = 0; j < asked.Count; j++)
            {
                var run = 0;
                while (i + run < said.Count && j + run < asked.Count
                    && opening[said[i + run].Start..said[i + run].End].SequenceEqual(queryText.Folded[asked[j + run].Start..asked[j + run].End]))
                    run++;
                if (run < shortest)
                    continue;
                stretches.Add(new Stretch(said[i].Start, said[i + run - 1].End, IgnoredReason.Echo));
                i += run - 1;
                break;
            }
        }

        return stretches;
    }

    /// <summary>Words of the engine's page that were copied with the answer.</summary>
    public static IEnumerable<Stretch> Interface(VisibleText text)
    {
        foreach (var (phrase, length) in InterfacePhrases)
        {
            for (var from = 0; from < text.Length;)
            {
                var at = text.Folded[from..].IndexOf(phrase, StringComparison.Ordinal);
                if (at < 0)
                    break;
                yield return new Stretch(from + at, Math.Min(text.Length, from + at + length), IgnoredReason.Interface);
                from += at + phrase.Length;
            }
        }
    }

    private static List<(int Start, int End)> Words(ReadOnlySpan<char> folded)
    {
        var words = new List<(int, int)>();
        for (var i = 0; i < folded.Length;)
        {
            if (!Characters.IsWord(folded[i]))
            {
                i++;
                continue;
            }

            var end = i;
            while (end < folded.Length && Characters.IsWord(folded[end]))
                end++;
            words.Add((i, end));
            i = end;
        }

        return words;
    }
}
