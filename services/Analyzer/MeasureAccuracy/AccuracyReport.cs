using System.Globalization;
using Assay.Analyzer.ReadAnswer;
using Assay.Analyzer.Score.Statistics;

namespace Assay.Analyzer.MeasureAccuracy;

/// <summary>Measures the analyser itself against labelled, recorded answers.</summary>
public static class AccuracyReport
{
    private const ulong Seed = 20260101;
    private const int Confusions = 10;
    private const int ExcerptLength = 110;

    /// <summary>Reads the answers of a JSONL file, compares mentions and first places with the labels, and prints the figures.</summary>
    /// <param name="path">A file with one JSON object a line: query, engine, run, answer, labels [{brand, name, rank}].</param>
    /// <param name="output">Where the figures go.</param>
    /// <param name="cancellationToken">Stops the measurement between two answers.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not a labelled answer; the message names it.</exception>
    public static async Task<AccuracyFigures> RunAsync(string path, TextWriter output, CancellationToken cancellationToken = default)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"Accuracy cannot be measured: there is no file {path}. Give the path of a JSONL file of labelled answers.", path);

        var recorded = new List<RecordedAnswer>();
        await foreach (var answer in RecordedAnswer.ReadAsync(path, cancellationToken))
            recorded.Add(answer);
        if (recorded.Count == 0)
            throw new InvalidDataException($"Accuracy cannot be measured: {path} holds no answers.");

        var brands = LabelledBrands.From(recorded.SelectMany(r => r.Labels!).Select(l => l.Brand));
        var compared = new List<Compared>(recorded.Count);
        foreach (var answer in recorded)
        {
            cancellationToken.ThrowIfCancellationRequested();
            compared.Add(Compare(answer, brands));
        }

        var figures = Figure(compared, "all");
        var engines = compared.GroupBy(c => c.Answer.Engine ?? "unknown", StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => Figure([.. g], g.Key)).ToList();
        await PrintAsync(output, recorded, brands, figures, engines, compared);
        return figures;
    }

    private static Compared Compare(RecordedAnswer answer, LabelledBrands brands)
    {
        var reading = AnswerReader.Read(answer.ToRead, brands.Lexicon);
        var labelled = new HashSet<string>(StringComparer.Ordinal);
        string? labelledFirst = null;
        var dropped = 0;
        foreach (var label in answer.Labels!)
        {
            var named = brands.Of(label.Brand).ToList();
            dropped += named.Count == 0 ? 1 : 0;
            labelled.UnionWith(named);
            if (label.Rank == 1 && named.Count > 0)
                labelledFirst = named[0];
        }

        var found = reading.Brands.Where(b => b.Mentioned).Select(b => b.Brand).ToHashSet(StringComparer.Ordinal);
        var first = reading.Mentions.FirstOrDefault(m => m.Rank == 1)?.Brand;
        var hidden = labelled.Where(l => !found.Contains(l) && !Stands(answer.Answer!, brands.Lexicon, l)).ToHashSet(StringComparer.Ordinal);
        return new Compared(answer, reading, labelled, found, hidden, labelledFirst, first, dropped);
    }

    // Whether any spelling of the brand stands in the raw answer at all, as a substring without case, spaces and marks.
    private static bool Stands(string answer, BrandLexicon lexicon, string brand)
    {
        var squeezed = Squeeze(answer);
        return lexicon.Aliases.Any(a => string.Equals(a.BrandName, brand, StringComparison.Ordinal) && squeezed.Contains(Squeeze(a.Text), StringComparison.Ordinal));

        static string Squeeze(string text) => string.Concat(text.Where(char.IsLetterOrDigit).Select(Characters.Fold));
    }

    private static AccuracyFigures Figure(List<Compared> compared, string name)
    {
        // Columns: labelled, found of them, found in all, labels that stand in the text; first places labelled, told, right.
        const int Columns = 7;
        var byQuery = compared.GroupBy(c => c.Answer.Query!, StringComparer.Ordinal).ToList();
        var rows = new double[byQuery.Count * Columns];
        for (var q = 0; q < byQuery.Count; q++)
        {
            var row = rows.AsSpan(q * Columns, Columns);
            foreach (var c in byQuery[q])
            {
                row[0] += c.Labelled.Count;
                row[1] += c.Labelled.Count(c.Found.Contains);
                row[2] += c.Found.Count;
                row[3] += c.Labelled.Count - c.Hidden.Count;
                row[4] += c.LabelledFirst is null ? 0 : 1;
                row[5] += c.First is null || c.LabelledFirst is null ? 0 : 1;
                row[6] += c.LabelledFirst is not null && string.Equals(c.First, c.LabelledFirst, StringComparison.Ordinal) ? 1 : 0;
            }
        }

        var total = new double[Columns];
        for (var i = 0; i < rows.Length; i++)
            total[i % Columns] += rows[i];
        var sums = ClusterBootstrap.Sums(rows, Columns, ClusterBootstrap.DefaultReplicates, Seed);

        return new AccuracyFigures
        {
            Name = name,
            Answers = compared.Count,
            Queries = byQuery.Count,
            MentionRecall = Of(s => s[1] / s[0], (int)total[0]),
            MentionRecallWhereNamed = Of(s => s[1] / s[3], (int)total[3]),
            MentionPrecision = Of(s => s[1] / s[2], (int)total[2]),
            MentionF1 = Of(s => 2 * s[1] / (s[0] + s[2]), (int)total[0]),
            FirstRecall = Of(s => s[6] / s[4], (int)total[4]),
            FirstPrecision = Of(s => s[6] / s[5], (int)total[5]),
            FirstF1 = Of(s => 2 * s[6] / (s[4] + s[5]), (int)total[4]),
        };

        AccuracyFigure Of(Func<double[], double> ratio, int n)
        {
            var replicate = new double[Columns];
            var values = new double[ClusterBootstrap.DefaultReplicates];
            for (var r = 0; r < values.Length; r++)
            {
                Array.Copy(sums, r * Columns, replicate, 0, Columns);
                values[r] = ratio(replicate);
            }

            var value = ratio(total);
            var interval = ClusterBootstrap.Percentiles(values) ?? (value, value);
            return new AccuracyFigure(value, interval.Low, interval.High, n);
        }
    }

    private static async Task PrintAsync(TextWriter output, List<RecordedAnswer> recorded, LabelledBrands brands, AccuracyFigures all, List<AccuracyFigures> engines, List<Compared> compared)
    {
        var labels = recorded.Sum(r => r.Labels!.Count);
        await output.WriteLineAsync(Line($"{AnswerReader.Version}: {all.Answers} answers to {all.Queries} queries, {labels} labels ({compared.Sum(c => c.Dropped)} name nobody), {brands.Lexicon.Brands.Count} brands, {brands.Lexicon.Aliases.Count} names"));
        await PrintFiguresAsync(output, "", all);
        foreach (var engine in engines)
        {
            await output.WriteLineAsync();
            await PrintFiguresAsync(output, engine.Name + " ", engine);
        }

        var missed = compared.SelectMany(c => c.Labelled.Where(l => !c.Found.Contains(l)).Select(l => (Brand: l, c.Answer, Named: !c.Hidden.Contains(l), c.Reading))).ToList();
        await output.WriteLineAsync();
        await output.WriteLineAsync(Line($"missed: {missed.Count} labels, {missed.Count(m => !m.Named)} of them of brands whose name the answer does not hold"));
        foreach (var group in missed.GroupBy(m => m.Brand, StringComparer.Ordinal).OrderByDescending(g => g.Count(m => m.Named)).ThenByDescending(g => g.Count()).Take(Confusions))
        {
            var worst = group.OrderByDescending(m => m.Named).First();
            await output.WriteLineAsync(Line($"  {group.Key} ×{group.Count()}: {(worst.Named ? Excerpt(worst.Answer.Answer!, worst.Reading, group.Key) : "the name does not stand in the answer")} [{worst.Answer.Engine} run {worst.Answer.Run}: {worst.Answer.Query}]"));
        }

        var unlabelled = compared.SelectMany(c => c.Found.Where(f => !c.Labelled.Contains(f)).Select(f => (Brand: f, c.Answer, c.Reading))).ToList();
        await output.WriteLineAsync(Line($"found without a label: {unlabelled.Count} (the labels hold about five products an answer, not every brand it names)"));
        foreach (var group in unlabelled.GroupBy(u => u.Brand, StringComparer.Ordinal).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(Confusions))
        {
            var example = group.First();
            var mention = example.Reading.Mentions.First(m => string.Equals(m.Brand, group.Key, StringComparison.Ordinal));
            await output.WriteLineAsync(Line($"  {group.Key} ×{group.Count()}: {Around(example.Answer.Answer!, mention.Start, mention.End)} [{example.Answer.Engine} run {example.Answer.Run}: {example.Answer.Query}]"));
        }

        var wrongFirst = compared.Where(c => c.LabelledFirst is not null && !string.Equals(c.First, c.LabelledFirst, StringComparison.Ordinal)).ToList();
        await output.WriteLineAsync(Line($"other first place: {wrongFirst.Count} answers"));
        foreach (var group in wrongFirst.GroupBy(c => $"{c.First ?? "nobody"} instead of {c.LabelledFirst}", StringComparer.Ordinal).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(Confusions))
        {
            var example = group.First();
            var mention = example.Reading.Mentions.FirstOrDefault(m => m.Rank == 1);
            await output.WriteLineAsync(Line($"  {group.Key} ×{group.Count()}: {(mention is null ? "nobody found" : Around(example.Answer.Answer!, mention.Start, mention.End))} [{example.Answer.Engine} run {example.Answer.Run}: {example.Answer.Query}]"));
        }
    }

    private static async Task PrintFiguresAsync(TextWriter output, string prefix, AccuracyFigures figures)
    {
        foreach (var (name, figure) in figures.Named())
            await output.WriteLineAsync(Line($"{prefix}{name} {figure.Value:F3} [{figure.Low:F3}, {figure.High:F3}]"));
    }

    private static string Excerpt(string answer, AnswerReading reading, string brand)
    {
        var ignored = reading.Ignored.FirstOrDefault(i => string.Equals(i.Brand, brand, StringComparison.Ordinal));
        if (ignored is not null)
            return $"({ignored.Reason}) {Around(answer, ignored.Start, ignored.End)}";
        var at = answer.IndexOf(brand, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? "the name stands in another spelling" : Around(answer, at, at + brand.Length);
    }

    private static string Around(string answer, int start, int end)
    {
        var from = Math.Max(0, start - (ExcerptLength - (end - start)) / 2);
        var to = Math.Min(answer.Length, from + ExcerptLength);
        return $"“{answer[from..start]}»{answer[start..end]}«{(end < to ? answer[end..to] : "")}”".ReplaceLineEndings(" ");
    }

    private static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);

    private sealed record Compared(RecordedAnswer Answer, AnswerReading Reading, HashSet<string> Labelled, HashSet<string> Found, HashSet<string> Hidden, string? LabelledFirst, string? First, int Dropped);
}

/// <summary>One figure with its 95 % interval (cluster bootstrap by query).</summary>
public sealed record AccuracyFigure(double Value, double Low, double High, int N);

/// <summary>How well the deterministic reading agrees with the labels.</summary>
public sealed record AccuracyFigures
{
    /// <summary><c>all</c>, or the engine's name.</summary>
    public required string Name { get; init; }

    /// <summary>Answers read.</summary>
    public required int Answers { get; init; }

    /// <summary>Different queries: the clusters of the intervals.</summary>
    public required int Queries { get; init; }

    /// <summary>Labelled brands that were found.</summary>
    public required AccuracyFigure MentionRecall { get; init; }

    /// <summary>The same, without labels of brands whose name the answer does not hold in any spelling.</summary>
    public required AccuracyFigure MentionRecallWhereNamed { get; init; }

    /// <summary>Found brands that are labelled; the labels leave out many brands that are really named.</summary>
    public required AccuracyFigure MentionPrecision { get; init; }

    /// <summary>Harmonic mean of mention recall and precision.</summary>
    public required AccuracyFigure MentionF1 { get; init; }

    /// <summary>Labelled first places told.</summary>
    public required AccuracyFigure FirstRecall { get; init; }

    /// <summary>Told first places that are labelled so.</summary>
    public required AccuracyFigure FirstPrecision { get; init; }

    /// <summary>Harmonic mean of first-place recall and precision.</summary>
    public required AccuracyFigure FirstF1 { get; init; }

    internal IEnumerable<(string Name, AccuracyFigure Figure)> Named() =>
    [
        ("mention recall", MentionRecall), ("mention recall where named", MentionRecallWhereNamed), ("mention precision", MentionPrecision), ("mention F1", MentionF1),
        ("rank-1 recall", FirstRecall), ("rank-1 precision", FirstPrecision), ("rank-1 F1", FirstF1),
    ];
}
