using System.Net;
using System.Text;

namespace Assay.Analyzer.ReadAnswer;

/// <summary>
/// Reads Markdown, and text that only looks like it, into what a reader sees. One pass over the lines, one over each
/// line's characters; nothing nests, so that neither time nor memory depend on how deep the input pretends to be
/// (docs/adr: why this is not the Markdown library, which is the oracle of its tests).
/// </summary>
internal sealed class MarkdownReader
{
    // A link's address or an HTML tag longer than this is text.
    private const int LongestMarkup = 8 * 1024;
    private const int LongestCluster = 32;
    private const int LongestForm = 4;

    // A line of at least so many characters that goes on in lower case was wrapped.
    private const int WrappedLine = 45;

    private readonly string _text;
    private readonly List<Block> _blocks = [];
    private readonly List<PendingLink> _links = [];
    private readonly Dictionary<string, (string Url, string? Title)> _references = new(StringComparer.OrdinalIgnoreCase);

    private char[] _chars;
    private char[] _fold;
    private Style[] _styles;
    private int[] _source;
    private byte[] _width;
    private int _length;

    private int _blockStart;
    private int _lineStart;
    private (BlockKind Kind, int Level, int Ordinal, int Table, int Row, int Column) _block = (BlockKind.Paragraph, 0, 0, -1, 0, 0);
    private bool _bold;
    private int _tables = -1;
    private int _row;

    private MarkdownReader(string text)
    {
        _text = text;
        var capacity = text.Length + 16;
        _chars = new char[capacity];
        _fold = new char[capacity];
        _styles = new Style[capacity];
        _source = new int[capacity];
        _width = new byte[capacity];
    }

    private readonly record struct PendingLink(int Start, int End, int SourceStart, string? Url, string? Title, string? Reference, bool IsLabel);

    private readonly record struct OpenLink(int CloseAt, int ContinueAt, int Start, int SourceStart, string? Url, string? Title, string? Reference, bool IsLabel);

    public static VisibleText Read(string text)
    {
        var reader = new MarkdownReader(text);
        reader.ReadLines();
        return reader.Finish();
    }

    /// <summary>Normalises a name or a query by the same rules, without Markdown.</summary>
    public static VisibleText ReadPlain(string text)
    {
        var reader = new MarkdownReader(text);
        reader.OpenBlock(BlockKind.Paragraph);
        for (var i = 0; i < text.Length;)
            i = reader.EmitCharacter(i, text.Length, Style.None);
        reader.CloseBlock();
        return reader.Finish();
    }

    /// <summary>A short text without case, accents and variants of marks, as <see cref="VisibleText.Folded"/> has it.</summary>
    public static string Fold(string text) => ReadPlain(text).Folded.Trim().ToString();

    private VisibleText Finish()
    {
        var links = new List<TextLink>(_links.Count);
        foreach (var link in _links)
        {
            var (url, title) = (link.Url, link.Title);
            if (link.Reference is { } reference && _references.TryGetValue(reference, out var definition))
                (url, title) = (definition.Url, title ?? definition.Title);
            links.Add(new TextLink(link.Start, link.End, link.SourceStart, url, title, link.IsLabel));
        }

        return new VisibleText(_chars, _fold, _styles, _source, _width, _length, _blocks, links);
    }

    private void ReadLines()
    {
        var fence = '\0';
        var fenceLength = 0;
        var inTable = false;
        var paragraphOpen = false;
        for (var start = 0; start < _text.Length;)
        {
            var newline = _text.AsSpan(start).IndexOfAny('\n', '\r');
            var end = newline < 0 ? _text.Length : start + newline;
            var next = end + (newline >= 0 && _text[end] == '\r' && end + 1 < _text.Length && _text[end + 1] == '\n' ? 2 : 1);

            var (at, indent) = SkipIndent(start, end);
            var mark = at < end ? _text[at] : '\0';

            if (fence != '\0')
            {
                if (mark == fence && RunLength(at, end, fence) is var run && run >= fenceLength && IsBlank(at + run, end))
                    fence = '\0';
                else
                    EmitCodeLine(start, end);
                start = next;
                continue;
            }

            if (mark is '`' or '~' && RunLength(at, end, mark) is >= 3 and var opening
                && (mark == '~' || _text.AsSpan(at + opening, end - at - opening).IndexOf('`') < 0))
            {
                CloseBlock();
                paragraphOpen = inTable = false;
                // A whole answer wrapped in a "markdown" fence is prose, not code.
                var info = _text.AsSpan(at + opening, end - at - opening).Trim();
                if (!info.Equals("markdown", StringComparison.OrdinalIgnoreCase) && !info.Equals("md", StringComparison.OrdinalIgnoreCase))
                    (fence, fenceLength) = (mark, opening);
            }
            else if (at >= end)
            {
                CloseBlock();
                paragraphOpen = inTable = false;
            }
            else if (IsRule(at, end))
            {
                CloseBlock();
                paragraphOpen = inTable = false;
            }
            else if (TryReadDefinition(at, end))
            {
                CloseBlock();
                paragraphOpen = inTable = false;
            }
            else if (IsTableLine(at, end, next, inTable))
            {
                CloseBlock();
                paragraphOpen = false;
                if (!inTable)
                {
                    _tables++;
                    _row = 0;
                    inTable = true;
                }

                if (!IsDelimiterRow(at, end))
                    ReadRow(at, end);
            }
            else
            {
                inTable = false;
                paragraphOpen = ReadProse(at, end, indent, paragraphOpen);
            }

            start = next;
        }

        CloseBlock();
    }

    private bool ReadProse(int at, int end, int indent, bool paragraphOpen)
    {
        if (_text[at] == '#' && RunLength(at, end, '#') is >= 1 and <= 6 and var level && at + level < end && _text[at + level] is ' ' or '\t')
        {
            CloseBlock();
            var from = SkipSpaces(at + level, end);
            var (content, ordinal) = SkipOrdinal(from, end);
            OpenBlock(BlockKind.Heading, RunLength(at, end, '#'), ordinal);
            ReadInline(content, TrimClosingHashes(content, end));
            CloseBlock();
            return false;
        }

        if (_text[at] is '-' or '*' or '+' or '•' or '‣' or '▪' or '◦' or '–' && at + 1 < end && _text[at + 1] is ' ' or '\t' or '\u00A0')
        {
            CloseBlock();
            var (content, ordinal) = SkipOrdinal(SkipSpaces(at + 1, end), end);
            OpenBlock(BlockKind.ListItem, indent, ordinal);
            _lineStart = _length;
            ReadInline(content, end);
            return true;
        }

        if (SkipOrdinal(at, end).Ordinal > 0)
        {
            CloseBlock();
            var (content, ordinal) = SkipOrdinal(at, end);
            OpenBlock(BlockKind.ListItem, indent, ordinal);
            _lineStart = _length;
            ReadInline(content, end);
            return true;
        }

        if (paragraphOpen && _length > _blockStart)
        {
            // A wrapped sentence goes on; a short line, or one that starts anew, stands by itself.
            Append(_length - _lineStart >= WrappedLine && char.IsLower(_text[at]) ? ' ' : '\n', at, 0, Style.None);
        }
        else
        {
            CloseBlock();
            OpenBlock(BlockKind.Paragraph, indent);
        }

        _lineStart = _length;
        ReadInline(at, end);
        return true;
    }

    // "1. ", "2) ", "1️⃣ ", "🥇", also inside the bold or link that opens the line: "**1. Name**", "[2. Name](…)".
    private (int Content, int Ordinal) SkipOrdinal(int at, int end)
    {
        var i = at;
        while (i < end && _text[i] is '*' or '_' or '[' or '#' or ' ')
            i++;
        if (i < end && _text[i] == '#')
            i++;
        if (i + 1 < end && _text[i] == '\uD83E' && _text[i + 1] is >= '\uDD47' and <= '\uDD49')
            return (at, _text[i + 1] - '\uDD46'); // The gold, silver and bronze medals stay visible.
        var digits = i;
        var value = 0;
        while (digits < end && digits - i < 3 && char.IsAsciiDigit(_text[digits]))
            value = value * 10 + (_text[digits++] - '0');
        if (digits == i || value == 0)
            return (at, 0);

        var after = digits;
        if (after < end && _text[after] == '\\')
            after++;
        if (after < end && _text[after] is '.' or ')' or ':')
        {
            after++;
            if (after < end && _text[after] is ' ' or '\t' or '\u00A0' or '*' or '_')
                return Skipped();
            return (at, 0);
        }

        if (after + 1 < end && _text[after] == '\uFE0F' && _text[after + 1] == '\u20E3')
        {
            after += 2;
            return Skipped();
        }

        return (at, 0);

        (int, int) Skipped()
        {
            // Markup before the number is dropped with it; what the number stood in opens again behind it.
            if (_text.AsSpan(at, i - at).IndexOf("**", StringComparison.Ordinal) >= 0)
            {
                var stars = after < end && _text[after] == '*';
                if (stars)
                {
                    while (after < end && _text[after] == '*')
                        after++;
                }
                else
                {
                    _bold = true;
                }
            }

            var bracket = _text.AsSpan(at, i - at).IndexOf('[');
            return bracket >= 0 ? (at + bracket, value) : (SkipSpaces(after, end), value);
        }
    }

    private bool TryReadDefinition(int at, int end)
    {
        if (_text[at] != '[')
            return false;
        var window = _text.AsSpan(at, Math.Min(end - at, LongestMarkup));
        var close = window.IndexOf("]:", StringComparison.Ordinal);
        if (close is < 2 or > 200 || window[1..close].IndexOf('[') >= 0)
            return false;
        var rest = window[(close + 2)..].Trim();
        if (rest.Length == 0)
            return false;
        var space = rest.IndexOfAny(' ', '\t');
        var url = (space < 0 ? rest : rest[..space]).Trim("<>");
        if (url.IndexOf(':') < 0 && url.IndexOf('/') < 0 && url.IndexOf('.') < 0)
            return false;
        string? title = null;
        if (space >= 0)
        {
            var raw = rest[space..].Trim();
            if (raw.Length == 0 || raw[0] is not ('"' or '\'' or '('))
                return false;
            title = WebUtility.HtmlDecode(raw.Trim("\"'()").ToString());
        }

        _references.TryAdd(window[1..close].ToString(), (url.ToString(), title));
        return true;
    }

    private bool IsTableLine(int at, int end, int next, bool inTable)
    {
        var line = _text.AsSpan(at, end - at);
        if (line[0] == '|')
            return line[1..].IndexOf('|') >= 0;
        if (line.IndexOf('|') < 0)
            return false;
        if (inTable)
            return true;
        if (next >= _text.Length)
            return false;
        var nextEnd = _text.AsSpan(next).IndexOfAny('\n', '\r');
        var (nextAt, _) = SkipIndent(next, nextEnd < 0 ? _text.Length : next + nextEnd);
        return IsDelimiterRow(nextAt, nextEnd < 0 ? _text.Length : next + nextEnd);
    }

    private bool IsDelimiterRow(int at, int end)
    {
        var row = _text.AsSpan(at, end - at);
        return row.IndexOf('-') >= 0 && row.IndexOf('|') >= 0 && row.IndexOfAnyExcept(" \t|:-") < 0;
    }

    private void ReadRow(int at, int end)
    {
        var column = 0;
        if (_text[at] == '|')
            at++;
        while (at < end)
        {
            var bar = at;
            while (bar < end && (_text[bar] != '|' || _text[bar - 1] == '\\'))
                bar++;
            var from = SkipSpaces(at, bar);
            if (from < bar)
            {
                var (content, ordinal) = column == 0 ? SkipOrdinal(from, bar) : (from, 0);
                OpenBlock(BlockKind.Cell, 0, ordinal, _tables, _row, column);
                ReadInline(content, bar);
                CloseBlock();
            }

            column++;
            at = bar + 1;
        }

        _row++;
    }

    private void ReadInline(int from, int end)
    {
        while (end > from && _text[end - 1] is ' ' or '\t')
            end--;
        var brackets = Pairs.None;
        var codeRuns = (Dictionary<int, int>?)null;
        var noMoreTags = false;
        Stack<OpenLink>? open = null;
        if (_text.AsSpan(from, end - from).IndexOf('[') >= 0)
            brackets = new Pairs(_text, from, end);

        for (var i = from; i < end;)
        {
            if (open is { Count: > 0 } && i >= open.Peek().CloseAt)
            {
                var link = open.Pop();
                _links.Add(new PendingLink(link.Start, _length, link.SourceStart, link.Url, link.Title, link.Reference, link.IsLabel));
                i = Math.Max(i, link.ContinueAt);
                continue;
            }

            var c = _text[i];
            var style = StyleNow(open);
            switch (c)
            {
                case '\\' when i + 1 < end && IsAsciiPunctuation(_text[i + 1]):
                    Append(_text[i + 1], i, 2, style);
                    i += 2;
                    break;
                case '`':
                    i = ReadCode(i, end, ref codeRuns, style);
                    break;
                case '!' when i + 1 < end && _text[i + 1] == '[' && brackets.CloseOf(i + 1) is var imageEnd and > 0 && imageEnd + 1 < end && _text[imageEnd + 1] == '(' && brackets.CloseOf(imageEnd + 1) is var imageClose and > 0:
                    i = imageClose + 1; // A picture's description is not text of the answer.
                    break;
                case '[':
                    i = ReadBracket(i, end, brackets, ref open);
                    break;
                case '<':
                    i = ReadAngle(i, end, ref noMoreTags, style);
                    break;
                case '&':
                    i = ReadEntity(i, end, style);
                    break;
                case '*':
                case '~':
                    i = ReadEmphasis(i, end, c, style);
                    break;
                case '_' when IsEmphasisUnderscore(i, end):
                    i += RunLength(i, end, '_');
                    break;
                case 'h' or 'H' or 'w' or 'W' when IsBareUrl(i, end):
                    i = ReadBareUrl(i, end, style);
                    break;
                default:
                    i = EmitCharacter(i, end, style);
                    break;
            }
        }

        while (open is not null && open.TryPop(out var link))
            _links.Add(new PendingLink(link.Start, _length, link.SourceStart, link.Url, link.Title, link.Reference, link.IsLabel));
    }

    private Style StyleNow(Stack<OpenLink>? open)
    {
        var style = _bold ? Style.Bold : Style.None;
        if (open is { Count: > 0 })
            style |= open.Peek().IsLabel ? Style.Label | Style.Link : Style.Link;
        return style;
    }

    private int ReadBracket(int i, int end, Pairs brackets, ref Stack<OpenLink>? open)
    {
        var close = brackets.CloseOf(i);
        if (close <= 0)
        {
            Append('[', i, 1, StyleNow(open));
            return i + 1;
        }

        // "([The Verge][1])", "[1]": the label of a source, not a word of the answer.
        var behindOpening = i > 0 && (_text[i - 1] == '(' || (_text[i - 1] == ' ' && i > 1 && _text[i - 2] == ','));
        if (close + 1 < end && _text[close + 1] == '(' && brackets.CloseOf(close + 1) is var targetEnd and > 0 && targetEnd - close < LongestMarkup)
        {
            var (url, title) = SplitTarget(_text.AsSpan(close + 2, targetEnd - close - 2));
            var label = i > 0 && _text[i - 1] == '(' && targetEnd + 1 < end && _text[targetEnd + 1] is ')' or ',';
            (open ??= []).Push(new OpenLink(close, targetEnd + 1, _length, i, url, title, null, label));
            return i + 1;
        }

        if (close + 1 < end && _text[close + 1] == '[' && brackets.CloseOf(close + 1) is var referenceEnd and > 0 && referenceEnd - close < 200)
        {
            var reference = referenceEnd == close + 2 ? _text[(i + 1)..close] : _text[(close + 2)..referenceEnd];
            (open ??= []).Push(new OpenLink(close, referenceEnd + 1, _length, i, null, null, reference, behindOpening));
            return i + 1;
        }

        var inside = _text.AsSpan(i + 1, close - i - 1);
        if (inside.Length is > 0 and <= 4 && inside.IndexOfAnyExceptInRange('0', '9') < 0)
        {
            _links.Add(new PendingLink(_length, _length, i, null, null, inside.ToString(), true));
            return close + 1;
        }

        Append('[', i, 1, StyleNow(open));
        return i + 1;
    }

    private static (string? Url, string? Title) SplitTarget(ReadOnlySpan<char> target)
    {
        target = target.Trim();
        if (target.Length == 0)
            return (null, null);
        var space = target.IndexOfAny(' ', '\t');
        var title = space < 0 ? null : target[space..].Trim().Trim("\"'()").ToString();
        return ((space < 0 ? target : target[..space]).Trim("<>").ToString(), title);
    }

    private int ReadCode(int i, int end, ref Dictionary<int, int>? lastRuns, Style style)
    {
        var run = RunLength(i, end, '`');
        if (lastRuns is null)
        {
            lastRuns = [];
            for (var k = i; k < end;)
            {
                var length = _text[k] == '`' ? RunLength(k, end, '`') : 0;
                if (length > 0)
                    lastRuns[length] = k;
                k += Math.Max(1, length);
            }
        }

        if (!lastRuns.TryGetValue(run, out var last) || last <= i)
        {
            for (var k = 0; k < run; k++)
                Append('`', i + k, 1, style);
            return i + run;
        }

        var at = i + run;
        while (at < end)
        {
            if (_text[at] == '`')
            {
                var length = RunLength(at, end, '`');
                if (length == run)
                    return at + length;
                for (var k = 0; k < length; k++)
                    Append('`', at + k, 1, style | Style.Code);
                at += length;
            }
            else
            {
                at = EmitCharacter(at, end, style | Style.Code);
            }
        }

        return at;
    }

    private int ReadAngle(int i, int end, ref bool noMoreTags, Style style)
    {
        if (i + 1 < end && !noMoreTags && (char.IsAsciiLetter(_text[i + 1]) || _text[i + 1] is '/' or '!'))
        {
            var rest = _text.AsSpan(i + 1, Math.Min(end - i - 1, LongestMarkup));
            var stop = rest.IndexOfAny('>', '<');
            if (stop < 0 && rest.Length == end - i - 1)
                noMoreTags = true;
            if (stop >= 0 && rest[stop] == '>')
            {
                var inside = rest[..stop];
                if (inside.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || inside.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
                {
                    EmitUrl(i + 1, i + 1 + stop, style);
                    return i + stop + 2;
                }

                if (inside.StartsWith("br", StringComparison.OrdinalIgnoreCase) || inside.StartsWith("/p", StringComparison.OrdinalIgnoreCase)
                    || inside.StartsWith("/li", StringComparison.OrdinalIgnoreCase) || inside.StartsWith("/td", StringComparison.OrdinalIgnoreCase))
                    Append('\n', i, 1, style);
                return i + stop + 2;
            }
        }

        Append('<', i, 1, style);
        return i + 1;
    }

    private int ReadEntity(int i, int end, Style style)
    {
        var window = _text.AsSpan(i, Math.Min(end - i, 12));
        var semicolon = window.IndexOf(';');
        if (semicolon > 1 && (window[1] == '#' || char.IsAsciiLetter(window[1])))
        {
            var raw = window[..(semicolon + 1)].ToString();
            var decoded = WebUtility.HtmlDecode(raw);
            if (!string.Equals(raw, decoded, StringComparison.Ordinal))
            {
                foreach (var c in decoded.Normalize(decoded.Any(char.IsSurrogate) ? NormalizationForm.FormC : NormalizationForm.FormKC))
                    Append(c is '\u2019' or '\u2018' ? '\'' : char.IsControl(c) ? ' ' : c, i, raw.Length, style);
                return i + raw.Length;
            }
        }

        Append('&', i, 1, style);
        return i + 1;
    }

    private int ReadEmphasis(int i, int end, char c, Style style)
    {
        var run = RunLength(i, end, c);
        var spaceBefore = i == 0 || char.IsWhiteSpace(_text[i - 1]);
        var spaceAfter = i + run >= end || char.IsWhiteSpace(_text[i + run]);
        if ((c == '~' && run < 2) || (spaceBefore && spaceAfter && i + run < end))
        {
            for (var k = 0; k < run; k++)
                Append(c, i + k, 1, style);
            return i + run;
        }

        if (c == '*' && run >= 2)
            _bold = !_bold;
        return i + run;
    }

    private bool IsEmphasisUnderscore(int i, int end)
    {
        var run = RunLength(i, end, '_');
        var wordBefore = i > 0 && Characters.IsWord(_text[i - 1]) && _text[i - 1] != '_';
        var wordAfter = i + run < end && Characters.IsWord(_text[i + run]);
        return wordBefore != wordAfter;
    }

    private bool IsBareUrl(int i, int end)
    {
        if (i > 0 && char.IsAsciiLetterOrDigit(_text[i - 1]))
            return false;
        var rest = _text.AsSpan(i, end - i);
        return rest.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || rest.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || (rest.StartsWith("www.", StringComparison.OrdinalIgnoreCase) && rest.Length > 4 && char.IsAsciiLetterOrDigit(rest[4]));
    }

    private int ReadBareUrl(int i, int end, Style style)
    {
        var rest = _text.AsSpan(i, Math.Min(end - i, LongestMarkup));
        var length = rest.IndexOfAny(" \t<>\"`|\\");
        if (length < 0)
            length = rest.Length;
        var unopened = rest[..length].Count(')') - rest[..length].Count('(');
        while (length > 0 && rest[length - 1] is '.' or ',' or ';' or ':' or '!' or '?' or ')' or ']' or '*' or '_' or '\'')
        {
            if (rest[length - 1] == ')' && unopened-- <= 0)
                break;
            length--;
        }

        EmitUrl(i, i + length, style);
        return i + length;
    }

    private void EmitUrl(int from, int end, Style style)
    {
        var start = _length;
        for (var i = from; i < end;)
            i = EmitCharacter(i, end, style | Style.Url);
        if ((style & Style.Link) == Style.None)
            _links.Add(new PendingLink(start, _length, from, _text[from..end], null, null, false));
    }

    private void EmitCodeLine(int from, int end)
    {
        OpenBlock(BlockKind.Code);
        for (var i = from; i < end;)
            i = EmitCharacter(i, end, Style.Code);
        CloseBlock();
    }

    // Emits the character at i with the marks that belong to it, normalised; returns where the next one begins.
    private int EmitCharacter(int i, int end, Style style)
    {
        var c = _text[i];
        if (c < 0x80)
        {
            if (i + 1 < end && _text[i + 1] >= 0x300 && Characters.IsMark(_text[i + 1]))
                return EmitCluster(i, end, style);
            if (c == '\t' || c < ' ')
                Append(' ', i, 1, style);
            else if (c != 0x7F)
                Append(c, i, 1, style);
            return i + 1;
        }

        switch (c)
        {
            case '\u2018' or '\u2019' or '\u201B' or '\u02BC' or '\u00B4' or '\u2032' or '\uFF07' or '\u02B9':
                Append('\'', i, 1, style);
                return i + 1;
            case '\u201C' or '\u201D' or '\u201E' or '\u2033':
                Append('"', i, 1, style);
                return i + 1;
            case '\u2010' or '\u2011' or '\u2012' or '\u2013' or '\u2014' or '\u2015' or '\u2212' or '\uFE63' or '\uFF0D':
                Append('-', i, 1, style);
                return i + 1;
            case '\u00AD' or '\u2122' or '\u00AE' or '\u2120' or '\u00A9' or '\uFEFF' or '\u180E'
                or (>= '\u200B' and <= '\u200F') or (>= '\u202A' and <= '\u202E') or (>= '\u2060' and <= '\u206F') or (>= '\uFE00' and <= '\uFE0F'):
                return i + 1; // Invisible, or a trade mark sign that belongs to no word.
            case '\u0085' or '\u2028' or '\u2029':
                Append('\n', i, 1, style);
                return i + 1;
        }

        if (char.IsWhiteSpace(c))
        {
            Append(' ', i, 1, style);
            return i + 1;
        }

        return EmitCluster(i, end, style);
    }

    private int EmitCluster(int i, int end, Style style)
    {
        var baseLength = char.IsHighSurrogate(_text[i]) && i + 1 < end && char.IsLowSurrogate(_text[i + 1]) ? 2 : 1;
        var stop = i + baseLength;
        while (stop < end && stop - i < LongestCluster && Joins(_text[stop - 1], _text[stop]))
            stop++;
        var hasMark = stop > i + baseLength;

        if (!hasMark && baseLength == 1)
        {
            var form = Characters.CompatibleForm(_text[i]);
            // One Arabic ligature stands for a sentence of eighteen letters; no name is written so.
            if (form.Length > LongestForm)
                form = "\uFFFD";
            foreach (var n in form)
                Append(n is '\u2044' ? '/' : n, i, 1, style);
            return stop;
        }

        var raw = _text.AsSpan(i, stop - i);
        Span<char> normalised = stackalloc char[LongestCluster * 20];
        if (ContainsLoneSurrogate(raw) || !raw.TryNormalize(normalised, out var written, NormalizationForm.FormKC))
        {
            Append('\uFFFD', i, stop - i, style);
            return stop;
        }

        foreach (var n in normalised[..written])
            Append(n, i, stop - i, hasMark ? style | Style.SeparateMark : style);
        return stop;
    }

    private static bool Joins(char before, char c) =>
        Characters.IsMark(c) || c is '\uFF9E' or '\uFF9F' || (before is >= '\u1100' and <= '\u11FF' && c is >= '\u1160' and <= '\u11FF');

    private static bool ContainsLoneSurrogate(ReadOnlySpan<char> raw)
    {
        for (var i = 0; i < raw.Length; i++)
        {
            if (char.IsHighSurrogate(raw[i]) && i + 1 < raw.Length && char.IsLowSurrogate(raw[i + 1]))
                i++;
            else if (char.IsSurrogate(raw[i]))
                return true;
        }

        return false;
    }

    private void Append(char c, int source, int width, Style style)
    {
        if (_length + 1 >= _chars.Length)
            Grow();
        _chars[_length] = c;
        _fold[_length] = Characters.Fold(c);
        _styles[_length] = style;
        _source[_length] = source;
        _width[_length] = (byte)width;
        _length++;
    }

    // The compatibility form may be longer than the original: one ligature can become eighteen letters.
    private void Grow()
    {
        var capacity = _chars.Length * 2;
        Array.Resize(ref _chars, capacity);
        Array.Resize(ref _fold, capacity);
        Array.Resize(ref _styles, capacity);
        Array.Resize(ref _source, capacity);
        Array.Resize(ref _width, capacity);
    }

    private void OpenBlock(BlockKind kind, int level = 0, int ordinal = 0, int table = -1, int row = 0, int column = 0)
    {
        CloseBlock(keepBold: ordinal > 0);
        _block = (kind, level, ordinal, table, row, column);
        _blockStart = _length;
    }

    private void CloseBlock(bool keepBold = false)
    {
        if (_length > _blockStart)
        {
            _blocks.Add(new Block(_block.Kind, _blockStart, _length, _block.Level, _block.Ordinal, _block.Table, _block.Row, _block.Column));
            Append('\n', _source[_length - 1] + _width[_length - 1], 0, Style.None);
        }

        _blockStart = _length;
        _block = (BlockKind.Paragraph, 0, 0, -1, 0, 0);
        if (!keepBold)
            _bold = false;
    }

    private (int At, int Indent) SkipIndent(int start, int end)
    {
        var (at, indent) = (start, 0);
        for (; at < end; at++)
        {
            var c = _text[at];
            if (c == '\t')
                indent += 4;
            else if (c is ' ' or '\u00A0')
                indent++;
            else if (c != '>') // Block quotes, however deep, are text of the answer.
                break;
        }

        return (at, indent);
    }

    private int RunLength(int at, int end, char c)
    {
        var run = _text.AsSpan(at, end - at).IndexOfAnyExcept(c);
        return run < 0 ? end - at : run;
    }

    private int SkipSpaces(int at, int end)
    {
        while (at < end && _text[at] is ' ' or '\t' or '\u00A0')
            at++;
        return at;
    }

    private bool IsBlank(int at, int end) => SkipSpaces(at, end) >= end;

    private int TrimClosingHashes(int from, int end)
    {
        var stop = end;
        while (stop > from && _text[stop - 1] is '#' or ' ')
            stop--;
        return stop > from && stop < end && _text[stop] == ' ' ? stop : end;
    }

    private bool IsRule(int at, int end)
    {
        var c = _text[at];
        if (c is not ('-' or '*' or '_' or '='))
            return false;
        var marks = 0;
        for (var i = at; i < end; i++)
        {
            if (_text[i] == c)
                marks++;
            else if (_text[i] is not (' ' or '\t'))
                return false;
        }

        return marks >= 3 || (c == '=' && marks >= 1);
    }

    private static bool IsAsciiPunctuation(char c) =>
        c is (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~');

    /// <summary>Which bracket closes which, for one line, found in one pass with a stack.</summary>
    private sealed class Pairs
    {
        public static readonly Pairs None = new();

        private readonly int _from;
        private readonly int[] _close;

        private Pairs() => _close = [];

        public Pairs(string text, int from, int end)
        {
            _from = from;
            _close = new int[end - from];
            var squares = new Stack<int>();
            var rounds = new Stack<int>();
            for (var i = from; i < end; i++)
            {
                switch (text[i])
                {
                    case '\\':
                        i++;
                        break;
                    case '[':
                        squares.Push(i);
                        break;
                    case ']' when squares.TryPop(out var square):
                        _close[square - from] = i;
                        break;
                    case '(':
                        rounds.Push(i);
                        break;
                    case ')' when rounds.TryPop(out var round):
                        _close[round - from] = i;
                        break;
                }
            }
        }

        public int CloseOf(int open) => open - _from < _close.Length ? _close[open - _from] : 0;
    }
}
