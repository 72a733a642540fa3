using Assay.Analyzer.MeasureAccuracy;
using Assay.Analyzer.Score.Statistics;
using Assay.TestServers;

namespace Assay.Analyzer.Tests.MeasureAccuracy;

public sealed class When_accuracy_is_measured : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"assay-accuracy-{Guid.NewGuid():N}.jsonl");

    public void Dispose() => File.Delete(_path);

    private async Task<(AccuracyFigures Figures, string Output)> RunAsync(params string[] lines)
    {
        await File.WriteAllLinesAsync(_path, lines);
        var output = new StringWriter();
        return (await AccuracyReport.RunAsync(_path, output), output.ToString());
    }

    [Fact]
    public async Task Should_compare_with_the_labels()
    {
        var (figures, output) = await RunAsync(
            """{"query":"q1","engine":"a","run":1,"answer":"1. Sony WH is good\n2. Bose QC is good","labels":[{"brand":"Sony","name":"WH","rank":1},{"brand":"Bose, Inc.","name":"QC","rank":2}]}""",
            """{"query":"q2","engine":"a","run":1,"answer":"1. BOSE QC\n2. Anker Q30","labels":[{"brand":"Anker","name":"Q30","rank":1},{"brand":"Various","name":"?","rank":2},{"brand":null,"name":"?","rank":3},{"brand":"Beoplay","name":"not there","rank":4}]}""");

        figures.MentionRecall.Value.ShouldBe(3.0 / 4, 1e-9);
        figures.MentionRecallWhereNamed.Value.ShouldBe(1, 1e-9);
        figures.MentionPrecision.Value.ShouldBe(3.0 / 4, 1e-9);
        figures.FirstRecall.Value.ShouldBe(.5, 1e-9);
        output.ShouldContain("mention recall 0.750 [");
        output.ShouldContain("2 name nobody");
        output.ShouldContain("Beoplay ×1: the name does not stand in the answer");
        output.ShouldContain("Bose instead of Anker ×1");
    }

    [Fact]
    public async Task Should_take_spellings_of_one_brand_together()
    {
        var (figures, _) = await RunAsync(
            """{"query":"q","engine":"a","run":1,"answer":"De'Longhi, T-fal and the Layla mattress; Netflix and Paramount+.","labels":[{"brand":"DeLonghi","rank":1},{"brand":"T-Fal","rank":2},{"brand":"Layla Sleep","rank":3},{"brand":"Layla","rank":4},{"brand":"Netflix / Paramount+","rank":5}]}""");

        figures.MentionRecall.Value.ShouldBe(1, 1e-9);
        figures.MentionRecall.N.ShouldBe(5);
    }

    [Theory]
    [InlineData("not json", "line 1")]
    [InlineData("""{"query":"q"}""", "line 1")]
    [InlineData("", "holds no answers")]
    public async Task Should_say_what_is_wrong_with_a_file(string line, string expected) =>
        (await Should.ThrowAsync<InvalidDataException>(() => RunAsync(line))).Message.ShouldContain(expected);

    [Fact]
    public async Task Should_say_that_there_is_no_file() =>
        (await Should.ThrowAsync<FileNotFoundException>(() => AccuracyReport.RunAsync("missing.jsonl", TextWriter.Null))).Message.ShouldContain("missing.jsonl");

    [Fact]
    [Trait("Needs", "Shared")]
    public async Task Should_find_ninety_seven_of_a_hundred_labelled_brands_in_recorded_answers()
    {
        var output = new StringWriter();
        var figures = await AccuracyReport.RunAsync(SharedFolder.Find("answers/recorded-answers.jsonl"), output);

        figures.MentionRecall.Value.ShouldBeGreaterThanOrEqualTo(.97);
        figures.MentionRecallWhereNamed.Value.ShouldBeGreaterThanOrEqualTo(.99);
        figures.FirstF1.Value.ShouldBeGreaterThanOrEqualTo(.94);

        // What is documented, and shown in the product, is what this release measures.
        var documented = await File.ReadAllLinesAsync(Path.Combine(Repository(), "docs", "accuracy.md"));
        foreach (var (name, figure) in figures.Named())
            documented.ShouldContain(line => line.StartsWith(FormattableString.Invariant($"| {name} | {figure.Value:F3} [{figure.Low:F3}, {figure.High:F3}] |"), StringComparison.Ordinal), name);
        output.ToString().ShouldStartWith(documented.Single(line => line.StartsWith("| `", StringComparison.Ordinal)).Split('`')[1]);
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Assay.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"There is no Assay.slnx above {AppContext.BaseDirectory}; run the tests from their build output.");
    }
}

public sealed class When_two_judges_are_compared
{
    [Fact]
    public void Should_know_agreement_beyond_chance()
    {
        CohensKappa.Of<int>([(1, 1), (1, 1), (0, 0), (0, 0)]).ShouldBe(1);
        CohensKappa.Of<int>([(1, 1), (1, 0), (0, 1), (0, 0)]).ShouldBe(0);
        CohensKappa.Of<int>([(1, 1), (1, 1)]).ShouldBeNull();
        CohensKappa.Of<int>([]).ShouldBeNull();
    }

    [Fact]
    public void Should_give_kappa_an_interval_by_query_that_holds_it()
    {
        List<(string, int, int)> pairs = [.. Enumerable.Range(0, 60).Select(i => ($"q{i / 3}", i % 3, i % 5 == 0 ? (i + 1) % 3 : i % 3))];

        var kappa = CohensKappa.ByCluster(pairs);

        kappa.Value.ShouldNotBeNull().ShouldBe(CohensKappa.Of<int>([.. pairs.Select(p => (p.Item2, p.Item3))])!.Value);
        kappa.Low.ShouldNotBeNull().ShouldBeLessThan(kappa.Value.Value);
        kappa.High.ShouldNotBeNull().ShouldBeGreaterThan(kappa.Value.Value);
        (kappa.High - kappa.Low).ShouldNotBeNull().ShouldBeInRange(0.05, 0.6);
        CohensKappa.ByCluster<int>([("q1", 1, 1), ("q1", 0, 0)]).ShouldSatisfyAllConditions(k => k.Value.ShouldBe(1), k => k.Low.ShouldNotBeNull().ShouldBeLessThan(0.9));
        CohensKappa.ByCluster<int>([]).Value.ShouldBeNull();
    }
}
