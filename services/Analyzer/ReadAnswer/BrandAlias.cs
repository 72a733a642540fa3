namespace Assay.Analyzer.ReadAnswer;

/// <summary>How strictly a name is matched; shown to the user beside each alias.</summary>
internal enum AliasStrictness
{
    /// <summary>Found in any letter case, with its joined and hyphenated variants.</summary>
    Distinctive,

    /// <summary>Up to three letters: found only in its own letter case and not as a part of a hyphenated word.</summary>
    Short,

    /// <summary>An ordinary word: found only with its own capital letter and a cue beside it.</summary>
    OrdinaryWord,

    /// <summary>Several ordinary words ("Best Buy"): found only in the request's own capitals.</summary>
    OrdinaryPhrase,

    /// <summary>A weekday or month: a capital letter is no cue, only a product name, a domain or a list of brands is.</summary>
    AlwaysCapitalWord,
}

/// <summary>One name under which a brand is searched.</summary>
internal sealed class BrandAlias
{
    internal BrandAlias(int brand, string brandName, string text)
    {
        Brand = brand;
        BrandName = brandName;
        Text = text;
        var visible = MarkdownReader.ReadPlain(text);
        Build(visible);
        Strictness = Classify();
    }

    public int Brand { get; }
    public string BrandName { get; }

    /// <summary>The name as the request writes it.</summary>
    public string Text { get; }

    public AliasStrictness Strictness { get; }

    /// <summary>Letters and digits without case and accents: what the trie holds.</summary>
    internal string Key { get; private set; } = "";

    /// <summary>The same letters in the request's own case and accents.</summary>
    internal string Cased { get; private set; } = "";

    /// <summary>What stands before each key character.</summary>
    internal Joint[] Joints { get; private set; } = [];

    internal bool HasCapital { get; private set; }
    internal bool AllCapitals { get; private set; }

    internal enum Joint : byte { None, Camel, Space, Hyphen, Apostrophe, Period }

    internal static bool IsKeyCharacter(char c) => Characters.IsWord(c) && c != '_' || c is '&' or '+';

    private void Build(VisibleText visible)
    {
        var key = new List<char>();
        var cased = new List<char>();
        var joints = new List<Joint>();
        var pending = Joint.None;
        var text = visible.Chars;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (!IsKeyCharacter(c))
            {
                pending = c switch
                {
                    ' ' => Joint.Space,
                    '\'' => Joint.Apostrophe,
                    '.' when pending is Joint.None => Joint.Period,
                    _ when pending is Joint.None => Joint.Hyphen,
                    _ => pending,
                };
                continue;
            }

            if (key.Count == 0)
                pending = Joint.None;
            else if (pending is Joint.None && char.IsUpper(c) && char.IsLower(text[i - 1]))
                pending = Joint.Camel;
            key.Add(visible.Folded[i]);
            cased.Add(c);
            joints.Add(pending);
            pending = Joint.None;
        }

        Key = new string([.. key]);
        Cased = new string([.. cased]);
        Joints = [.. joints];
        HasCapital = cased.Exists(char.IsUpper);
        AllCapitals = HasCapital && !cased.Exists(char.IsLower);
    }

    private IEnumerable<string> Parts()
    {
        var start = 0;
        for (var i = 1; i <= Key.Length; i++)
        {
            if (i < Key.Length && (Joints[i] is Joint.None or Joint.Camel))
                continue;
            yield return Key[start..i];
            start = i;
        }
    }

    private AliasStrictness Classify()
    {
        var letters = Key.Count(char.IsLetter);
        if (letters == Key.Length && Joints.All(j => j is Joint.None or Joint.Camel))
        {
            if (OrdinaryWords.IsAlwaysCapital(Key))
                return AliasStrictness.AlwaysCapitalWord;
            if (OrdinaryWords.Contains(Key) && !(AllCapitals && Key.Length <= 3))
                return AliasStrictness.OrdinaryWord;
        }

        if (letters == 0)
            return AliasStrictness.OrdinaryWord; // "686" is a brand of jackets, and a number.
        if (Joints.Any(j => j is Joint.Space or Joint.Hyphen) && HasCapital && Parts().All(OrdinaryWords.Contains))
            return AliasStrictness.OrdinaryPhrase;

        return Key.Length <= 3 && Key.All(c => c < 0x2E80) ? AliasStrictness.Short : AliasStrictness.Distinctive;
    }
}
