using System.Globalization;
using System.Text.RegularExpressions;
using Assay.Contracts;

namespace Assay.Dashboard.Pages;

/// <summary>One figure of the analyser's accuracy, over all recorded answers and for each engine.</summary>
sealed record AccuracyRow(string Name, IReadOnlyList<ScoreValue> Values);

/// <summary>
/// How accurate the analyser of this release is. The figures are those of docs/accuracy.md, which the build embeds: they are written once, and a
/// test measures that they are true.
/// </summary>
sealed partial record Accuracy(string MatcherVersion, string Basis, IReadOnlyList<string> Columns, IReadOnlyList<AccuracyRow> Rows, string Reading)
{
    public static Accuracy OfRelease { get; } = Parse(Embedded());

    /// <exception cref="InvalidOperationException">The document is not written as this page reads it.</exception>
    internal static Accuracy Parse(string document)
    {
        var lines = document.ReplaceLineEndings("\n").Split('\n');
        var head = Array.FindIndex(lines, line => line.StartsWith("| `", StringComparison.Ordinal));
        var basis = Array.Find(lines[..Math.Max(0, head)], line => line.Contains("labels", StringComparison.Ordinal) && line.Contains("95 %", StringComparison.Ordinal));
        var reading = Array.Find(lines, line => line.StartsWith("True precision", StringComparison.Ordinal));
        if (head < 0 || basis is null || reading is null)
            throw new InvalidOperationException("docs/accuracy.md does not hold what the page of metrics shows: a table headed by the matcher's version, the sentence before it that says what was measured, and the line of true precision.");
        var header = Cells(lines[head]);
        return new Accuracy(
            header[0].Trim('`'), basis.Trim(), header[1..],
            [.. lines.Skip(head + 2).TakeWhile(line => line.StartsWith('|')).Select(Cells).Select(cells => new AccuracyRow(cells[0], [.. cells[1..].Select(Value)]))],
            reading.Trim());
    }

    static ScoreValue Value(string cell)
    {
        var match = Figure().Match(cell);
        return match.Success
            ? new ScoreValue { Value = Number("value"), Low = Number("low"), High = Number("high") }
            : throw new InvalidOperationException($"docs/accuracy.md: '{cell}' is no figure with its interval; write 0.982 [0.967, 0.992].");

        double Number(string group) => double.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
    }

    static string[] Cells(string line) => [.. line.Trim('|', ' ').Split('|').Select(cell => cell.Trim())];

    static string Embedded()
    {
        using var stream = typeof(Accuracy).Assembly.GetManifestResourceStream("accuracy.md") ?? throw new InvalidOperationException("docs/accuracy.md is not embedded in this build.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^(?<value>\d\.\d+) \[(?<low>\d\.\d+), (?<high>\d\.\d+)\]$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Figure();
}
