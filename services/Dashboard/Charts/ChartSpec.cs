using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Pages;

namespace Assay.Dashboard.Charts;

/// <summary>One mark of a chart: a value with its interval, and where the answers behind it are.</summary>
public sealed record ChartRow(string Name, double Value, double? Low, double? High, string Text, string Interval, bool Own, string? Href);

/// <summary>
/// What a chart shows, drawn twice from the same data: as SVG by the server, and by ECharts where there is script. Texts are written here once,
/// so that both say the same.
/// </summary>
/// <param name="Kind"><c>intervals</c>, <c>bars</c> or <c>trend</c>.</param>
public sealed record ChartSpec(string Kind, string Title, string Unit, double Min, double Max, IReadOnlyList<ChartRow> Rows)
{
    public string ToJson() => JsonSerializer.Serialize(this, AssayJson.Options);

    /// <summary>Rows without a value are left out: nothing to measure is no zero.</summary>
    internal static ChartSpec Of(string kind, string title, string metric, IEnumerable<(string Name, ScoreValue? Score, bool Own, string? Href)> rows)
    {
        List<ChartRow> marks = [];
        foreach (var (name, score, own, href) in rows)
            if (score is { Value: { } value })
                marks.Add(new ChartRow(Show.Short(name, 80), value, score.Low, score.High, Show.Value(metric, value), Show.Interval(metric, score), own, href));
        var signed = Show.UnitOf(metric) == Show.Unit.Signed;
        return new ChartSpec(kind, title, signed ? "signed" : "share", signed ? -1 : 0, Top(marks, kind), marks);
    }

    /// <summary>As much of a name, from its beginning, as has room beside the drawing, whose text is 12.5 high; letters are measured by the eye.</summary>
    internal static string Fitting(string name, double room)
    {
        var dots = WidthOf('…');
        var taken = 0.0;
        var end = 0;
        for (var i = 0; i < name.Length; i++)
        {
            taken += WidthOf(name[i]);
            if (taken + dots <= room)
                end = i + 1;
            else if (taken > room)
                return name[..(end > 0 && char.IsHighSurrogate(name[end - 1]) ? end - 1 : end)].TrimEnd() + "…";
        }

        return name;
    }

    static double WidthOf(char letter) => 12.5 * (letter switch
    {
        'm' or 'w' or 'M' or 'W' or '@' or '%' or '…' => 0.95,
        'i' or 'j' or 'l' or 'I' or '.' or ',' or ':' or ';' or '\'' or '|' or '!' => 0.34,
        't' or 'f' or 'r' or ' ' or '/' or '(' or ')' or '-' or '"' => 0.4,
        _ when char.IsSurrogate(letter) => 0.55,
        >= '\u1100' => 1.05,
        _ when char.IsUpper(letter) => 0.75,
        _ => 0.62,
    });

    /// <summary>Bars of small shares would be slivers on a scale to 100 %; intervals keep the whole scale, so that two charts compare.</summary>
    static double Top(List<ChartRow> rows, string kind)
    {
        if (kind != "bars")
            return 1;
        var most = rows.Select(row => row.High ?? row.Value).DefaultIfEmpty(1).Max();
        return Math.Min(1, Math.Max(0.1, Math.Ceiling(most * 10) / 10));
    }
}
