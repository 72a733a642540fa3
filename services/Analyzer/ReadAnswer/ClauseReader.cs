using System.Collections.Frozen;
using System.Runtime.InteropServices;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>
/// What the clause around a name says about it: praise, blame, advice. Every signal goes to one name, the nearest in its
/// clause, so that "Sony is great, but Bose is uncomfortable" praises one and blames the other.
/// </summary>
internal sealed class ClauseReader(VisibleText text, List<Sentence> sentences)
{
    private static readonly string[] TopPickCues =
    [
        "best overall", "overall best", "top pick", "our pick", "my pick", "top choice", "first choice", "number one", "no. 1", "#1", "the winner",
        "top recommendation", "my recommendation", "our recommendation", "editor's choice", "editors' choice", "best choice overall", "gold standard",
        "the best option", "the best choice", "is the best", "my top", "our top pick", "the clear winner", "best of the best", "overall winner",
    ];

    private static readonly string[] RecommendCues =
    [
        "recommend", "recommended", "recommends", "great choice", "excellent choice", "good choice", "solid choice", "top-notch choice", "strong choice", "perfect choice", "popular choice",
        "great option", "excellent option", "good option", "solid option", "strong option", "great pick", "excellent pick", "solid pick", "go with", "go for",
        "worth considering", "worth a look", "ideal for", "perfect for", "great for", "best for", "excellent for", "suitable for", "well suited", "well-suited",
        "best budget", "best value", "best premium", "best for", "best with", "runner-up", "top-rated", "highly rated", "highly regarded", "stands out", "stand out", "standout",
        "can't go wrong", "you can't beat", "a safe bet", "favorite", "favourite", "must-have", "top contender", "leading", "praised", "best-in-class",
    ];

    private static readonly string[] WarnCues =
    [
        "avoid", "don't recommend", "do not recommend", "wouldn't recommend", "would not recommend", "not recommended", "can't recommend", "cannot recommend",
        "steer clear", "stay away", "not worth", "skip the", "not a good choice", "not ideal", "isn't ideal", "not the best choice", "not suitable",
    ];

    private static readonly string[] RecommendHeadings = ["top picks", "top choices", "best", "top", "recommended", "recommendations", "our picks", "editor's"];

    private static readonly FrozenSet<string> Negations = new[]
    {
        "not", "no", "never", "without", "isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "can't", "cannot", "couldn't",
        "wouldn't", "hardly", "lacks", "lack", "lacking", "nothing", "neither", "nor", "less", "few",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Turns = new[] { "but", "however", "while", "whereas", "although", "though", "yet", "unlike", "instead" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Comparatives = new[]
    {
        "better", "worse", "cheaper", "faster", "lighter", "stronger", "quieter", "sturdier", "sharper", "superior", "inferior", "more", "clearer", "safer", "smoother", "longer", "richer", "easier",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, int> Polarity = BuildPolarity();

    private enum Signal { Positive, Negative, Top, Recommend, Warn }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Heard(int At, int End, Signal Signal, bool Compares);

    /// <summary>One name's clause: sentiment −1, 0, +1, and the strongest advice.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Verdict(int Sentiment, bool Top, bool Recommended, bool Warned);

    /// <summary>Judges all names of one sentence together.</summary>
    public Verdict[] Judge(int sentenceIndex, IReadOnlyList<NameMatch> names)
    {
        var verdicts = new Verdict[names.Count];
        var sentence = sentences[sentenceIndex];
        var groups = GroupCoordinated(names);
        var turns = new List<int>();
        var than = -1;
        var signals = Listen(sentence, names, turns, ref than);
        var scores = new int[groups.Count];
        var flags = new (bool Top, bool Recommended, bool Warned)[groups.Count];

        foreach (var signal in signals)
        {
            var target = TargetOf(signal.At, groups, names, turns);
            switch (signal.Signal)
            {
                case Signal.Positive:
                    scores[target]++;
                    break;
                case Signal.Negative:
                    scores[target]--;
                    break;
                case Signal.Top:
                    flags[target].Top = true;
                    break;
                case Signal.Recommend:
                    flags[target].Recommended = true;
                    break;
                case Signal.Warn:
                    flags[target].Warned = true;
                    scores[target] -= 2;
                    break;
            }

            // "better than X": what praises the one blames the other.
            if (signal.Compares && than > signal.At && FirstAfter(groups, names, than) is >= 0 and var other && other != target && ClauseOf(than, turns) == ClauseOf(signal.At, turns))
                scores[other] -= signal.Signal is Signal.Positive ? 1 : -1;
        }

        for (var g = 0; g < groups.Count; g++)
        {
            foreach (var name in groups[g])
                verdicts[name] = new Verdict(Math.Sign(scores[g]), flags[g].Top && !flags[g].Warned, flags[g].Recommended && !flags[g].Warned, flags[g].Warned);
        }

        return verdicts;
    }

    /// <summary>What a sentence without names says about the entry it follows.</summary>
    public Verdict JudgeNameless(int sentenceIndex)
    {
        var turns = new List<int>();
        var than = -1;
        var (score, top, recommended, warned) = (0, false, false, false);
        foreach (var signal in Listen(sentences[sentenceIndex], [], turns, ref than))
        {
            score += signal.Signal switch { Signal.Positive => 1, Signal.Negative => -1, Signal.Warn => -2, _ => 0 };
            top |= signal.Signal is Signal.Top;
            recommended |= signal.Signal is Signal.Recommend;
            warned |= signal.Signal is Signal.Warn;
        }

        return new Verdict(Math.Sign(score), top && !warned, recommended && !warned, warned);
    }

    /// <summary>Whether a heading or label over a list says that what follows is the best, or that it is the one best.</summary>
    public (bool Top, bool Recommended) JudgeLabel(int start, int end)
    {
        var folded = text.Folded[start..Math.Min(end, start + 160)];
        return (Phrases.Any(folded, TopPickCues), Phrases.Any(folded, RecommendHeadings));
    }

    private List<Heard> Listen(Sentence sentence, IReadOnlyList<NameMatch> names, List<int> turns, ref int than)
    {
        var heard = new List<Heard>();
        var folded = text.Folded;
        var negatedUntil = -1;
        var word = 0;
        for (var i = sentence.Start; i < sentence.End;)
        {
            var c = folded[i];
            if (!Characters.IsWord(c))
            {
                if (c is ';')
                    turns.Add(i);
                i++;
                continue;
            }

            var end = i;
            while (end < sentence.End && (Characters.IsWord(folded[end]) || (folded[end] is '\'' or '-' && end + 1 < sentence.End && Characters.IsWord(folded[end + 1]))))
                end++;
            var token = folded[i..end];
            word++;
            if (!IsName(names, i))
            {
                if (Turns.GetAlternateLookup<ReadOnlySpan<char>>().Contains(token))
                    turns.Add(i);
                else if (token is "than" or "over" && than < 0)
                    than = i;
                if (Polarity.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(token, out var polarity))
                {
                    if (word <= negatedUntil)
                        polarity = -polarity;
                    heard.Add(new Heard(i, end, polarity > 0 ? Signal.Positive : Signal.Negative, Comparatives.GetAlternateLookup<ReadOnlySpan<char>>().Contains(token)));
                }

                if (Negations.GetAlternateLookup<ReadOnlySpan<char>>().Contains(token))
                    negatedUntil = word + 3;
            }

            i = end;
        }

        var span = folded[sentence.Start..sentence.End];
        AddPhrases(span, sentence.Start, WarnCues, Signal.Warn, heard);
        AddPhrases(span, sentence.Start, TopPickCues, Signal.Top, heard);
        AddPhrases(span, sentence.Start, RecommendCues, Signal.Recommend, heard);
        return heard;
    }

    private static void AddPhrases(ReadOnlySpan<char> span, int offset, string[] phrases, Signal signal, List<Heard> heard)
    {
        foreach (var phrase in phrases)
        {
            var at = Phrases.IndexOf(span, phrase);
            if (at < 0)
                continue;
            // "not recommended" was heard as a warning already.
            if (signal is Signal.Recommend && heard.Exists(h => h.Signal is Signal.Warn && h.At <= offset + at && offset + at < h.End))
                continue;
            heard.Add(new Heard(offset + at, offset + at + phrase.Length, signal, false));
        }
    }

    private static bool IsName(IReadOnlyList<NameMatch> names, int at)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (at >= names[i].Start && at < names[i].End)
                return true;
        }

        return false;
    }

    // "Sony, Bose and JBL" are praised together.
    private List<List<int>> GroupCoordinated(IReadOnlyList<NameMatch> names)
    {
        var groups = new List<List<int>>();
        for (var i = 0; i < names.Count; i++)
        {
            if (i > 0 && names[i].Start - names[i - 1].End is >= 0 and <= 8
                && text.Folded[names[i - 1].End..names[i].Start] is ", " or " and " or " or " or ", and " or ", or " or " & " or "/" or " / ")
                groups[^1].Add(i);
            else
                groups.Add([i]);
        }

        return groups;
    }

    private static int ClauseOf(int at, List<int> turns)
    {
        var clause = 0;
        foreach (var turn in turns)
        {
            if (turn <= at)
                clause++;
        }

        return clause;
    }

    private static int FirstAfter(List<List<int>> groups, IReadOnlyList<NameMatch> names, int at)
    {
        for (var g = 0; g < groups.Count; g++)
        {
            if (names[groups[g][0]].Start > at)
                return g;
        }

        return -1;
    }

    private static int TargetOf(int at, List<List<int>> groups, IReadOnlyList<NameMatch> names, List<int> turns)
    {
        var clause = ClauseOf(at, turns);
        var (before, after) = (-1, -1);
        for (var g = 0; g < groups.Count; g++)
        {
            if (names[groups[g][0]].Start <= at)
                before = g;
            else if (after < 0)
                after = g;
        }

        if (before >= 0 && ClauseOf(names[groups[before][^1]].Start, turns) == clause)
            return before;
        if (after >= 0 && ClauseOf(names[groups[after][0]].Start, turns) == clause)
            return after;
        return before >= 0 ? before : after;
    }

    private static FrozenDictionary<string, int> BuildPolarity()
    {
        const string positive = "good great excellent best better superb outstanding impressive amazing fantastic superior reliable durable comfortable affordable "
            + "accurate powerful versatile intuitive sleek stylish lightweight sturdy premium exceptional stellar solid strong robust efficient effective "
            + "popular praised beloved favorite favourite loved recommended ideal perfect seamless crisp rich vibrant stunning quiet smooth fast faster "
            + "quick responsive convenient generous innovative renowned trusted reputable acclaimed award-winning top-notch top-rated highly-rated "
            + "high-quality well-regarded well-rounded well-built well-made user-friendly easy easier excels shines delivers leads wins winner standout "
            + "cheaper lighter stronger quieter sturdier sharper clearer safer smoother richer longer-lasting long-lasting budget-friendly cost-effective balanced "
            + "remarkable phenomenal flawless terrific wonderful enjoyable satisfying worth worthwhile gentle soothing supportive spacious secure safe "
            + "respected leading unmatched unbeatable elegant beautiful clean precise dependable";
        const string negative = "bad poor worse worst terrible awful disappointing mediocre weak flimsy uncomfortable unreliable overpriced expensive pricey costly "
            + "heavy bulky noisy loud slow sluggish cheap-feeling fragile inaccurate inconsistent faulty defective difficult hard confusing complicated "
            + "limited lacking lacks outdated inferior buggy complaints complaint issues issue problem problems drawback drawbacks downside downsides con cons "
            + "fails failed failure annoying frustrating stiff harsh tinny muddy leaks leaky breaks broken recall recalled lawsuit scam avoid disappoints "
            + "disappointed struggles struggle underwhelming unimpressive clunky awkward dated risky unsafe dangerous";
        var words = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var w in positive.Split(' '))
            words[w] = 1;
        foreach (var w in negative.Split(' '))
            words[w] = -1;
        return words.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
