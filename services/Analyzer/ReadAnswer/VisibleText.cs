using System.Runtime.InteropServices;

namespace Assay.Analyzer.ReadAnswer;

internal enum BlockKind : byte { Paragraph, Heading, ListItem, Cell, Code }

/// <summary>A stretch of the visible text between structural breaks.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Block(BlockKind Kind, int Start, int End, int Level, int Ordinal, int Table, int Row, int Column);

/// <summary>A link in the visible text. <see cref="Url"/> is null for a reference that nothing defines.</summary>
internal sealed record TextLink(int Start, int End, int SourceStart, string? Url, string? Title, bool IsLabel);

[Flags]
internal enum Style : byte { None = 0, Code = 1, Url = 2, Label = 4, Bold = 8, SeparateMark = 16, Link = 32 }

/// <summary>
/// What a reader of the answer sees: Markdown removed, characters normalised (NFKC, apostrophes, dashes, spaces),
/// every character with the place it came from. The matcher reads this shadow; results carry offsets into the original.
/// </summary>
internal sealed class VisibleText
{
    private readonly int[] _source;
    private readonly byte[] _width;

    internal VisibleText(char[] chars, char[] fold, Style[] styles, int[] source, byte[] width, int length, IReadOnlyList<Block> blocks, IReadOnlyList<TextLink> links)
    {
        Characters = chars;
        FoldedCharacters = fold;
        Styles = styles;
        _source = source;
        _width = width;
        Length = length;
        Blocks = blocks;
        Links = links;
    }

    public int Length { get; }
    public char[] Characters { get; }
    public char[] FoldedCharacters { get; }
    public Style[] Styles { get; }
    public IReadOnlyList<Block> Blocks { get; }
    public IReadOnlyList<TextLink> Links { get; }

    public ReadOnlySpan<char> Chars => Characters.AsSpan(0, Length);

    /// <summary>The text without case and accents, same offsets as <see cref="Chars"/>.</summary>
    public ReadOnlySpan<char> Folded => FoldedCharacters.AsSpan(0, Length);

    public int SourceStart(int index) => _source[index];

    /// <summary>The original offset just behind the character at <paramref name="index"/>.</summary>
    public int SourceEnd(int index) => _source[index] + _width[index];
}
