using System.Globalization;
using System.Text;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>What a letter counts as when a name is searched: its script family, and its form without case and accents.</summary>
internal static class Characters
{
    internal enum Script : byte { None, Alphabetic, Digit, Ideograph, Katakana, Hangul, Unspaced }

    private static readonly Script[] Scripts = BuildScripts();
    private static readonly char[] Folds = BuildFolds();
    private static readonly string?[] Compatible = new string?[char.MaxValue + 1];

    /// <summary>The script family of the character at <paramref name="index"/>; a surrogate pair is judged as one.</summary>
    public static Script ScriptAt(ReadOnlySpan<char> text, int index)
    {
        var c = text[index];
        if (!char.IsSurrogate(c))
            return Scripts[c];
        Rune rune;
        if (char.IsHighSurrogate(c))
        {
            if (index + 1 >= text.Length || !Rune.TryCreate(c, text[index + 1], out rune))
                return Script.None;
        }
        else if (index == 0 || !Rune.TryCreate(text[index - 1], c, out rune))
        {
            return Script.None;
        }

        if (rune.Value >= 0x20000)
            return Script.Ideograph;
        return Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark ? Script.Alphabetic : Script.None;
    }

    public static Script ScriptOf(char c) => Scripts[c];

    public static bool IsWord(char c) => Scripts[c] is not Script.None || char.IsSurrogate(c);

    public static bool IsMark(char c) =>
        c >= 0x300 && CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark;

    /// <summary>Lower case, without accents: É → e, ø → o.</summary>
    public static char Fold(char c) => c < 128 ? (c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c) : Folds[c];

    /// <summary>The compatibility form (NFKC) of one character that stands alone.</summary>
    public static string CompatibleForm(char c) =>
        Compatible[c] ??= char.IsSurrogate(c) ? "\uFFFD" : c.ToString().Normalize(NormalizationForm.FormKC);

    private static Script[] BuildScripts()
    {
        var scripts = new Script[char.MaxValue + 1];
        for (var i = 0; i <= char.MaxValue; i++)
            scripts[i] = Classify((char)i);
        return scripts;
    }

    private static Script Classify(char c)
    {
        if (c == '_')
            return Script.Alphabetic;
        switch (CharUnicodeInfo.GetUnicodeCategory(c))
        {
            case UnicodeCategory.DecimalDigitNumber:
                return Script.Digit;
            case UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark:
                break;
            default:
                return Script.None;
        }

        return (int)c switch
        {
            >= 0x2E80 and <= 0x309F or >= 0x3400 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF => Script.Ideograph,
            >= 0x30A0 and <= 0x30FF or >= 0x31F0 and <= 0x31FF or >= 0xFF65 and <= 0xFF9F => Script.Katakana,
            >= 0xAC00 and <= 0xD7FF or >= 0x1100 and <= 0x11FF or >= 0x3130 and <= 0x318F => Script.Hangul,
            >= 0x0E00 and <= 0x0EFF or >= 0x1000 and <= 0x109F or >= 0x1780 and <= 0x17FF => Script.Unspaced,
            _ => Script.Alphabetic,
        };
    }

    private static char[] BuildFolds()
    {
        var folds = new char[char.MaxValue + 1];
        for (var i = 0; i <= char.MaxValue; i++)
        {
            var c = (char)i;
            folds[i] = c switch
            {
                'ø' or 'Ø' => 'o',
                'ł' or 'Ł' => 'l',
                'đ' or 'Đ' => 'd',
                'ı' or 'İ' => 'i',
                _ when (i is >= 0x80 and < 0x250 or >= 0x370 and < 0x530 or >= 0x1E00 and < 0x2000) && char.IsLetter(c) =>
                    char.ToLowerInvariant(c.ToString().Normalize(NormalizationForm.FormD)[0]),
                _ => char.ToLowerInvariant(c),
            };
        }

        return folds;
    }
}
