using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Database;
using Assay.Dashboard.Projections;
using Assay.Dashboard.Reports;

namespace Assay.Dashboard.Tests.Reports;

static class Sources
{
    public static ReportSource Of(Guid id, Action<AuditRow> state, IReadOnlyList<SourceAnswer> answers, bool scored = true)
    {
        var row = new AuditRow { AuditId = id, CreatedAt = Sample.Start };
        row.Apply(Sample.Registered(id));
        row.Apply(Sample.Accepted(id));
        state(row);
        return new ReportSource
        {
            Audit = row, Request = Sample.Request(id), Panel = Sample.Planned(id), Score = scored ? Sample.Scored(id, Guid.CreateVersion7()) : null,
            Layers = [Sample.Insights(id, 3), Sample.Insights(id, 1)], Answers = answers,
            Transitions = [new TransitionRow { AuditId = id, Sequence = 1, Attempt = 1, FromState = "Initial", ToState = "Admitting", Trigger = "RequestAudit", Worker = "w", At = Sample.Start, ElapsedMs = 0 }],
            Texts = answers.Where(a => a.Answer.TextLength > 0).ToDictionary(a => a.Answer.CallKey, a => new AnswerText { CallKey = a.Answer.CallKey, Text = a.Answer.Excerpt, TextHash = "hash" }, StringComparer.Ordinal),
        };
    }

    public static SourceAnswer From(string engine, int query, string outcome = "valid", string? reason = null) => new(engine, true, Sample.Answer(engine, query, outcome: outcome, reason: reason));
}

public sealed class ACompletedReport
{
    readonly Report report;

    public ACompletedReport()
    {
        var id = Guid.CreateVersion7();
        report = ReportAssembly.Assemble(Sources.Of(id, row =>
        {
            row.Apply(Sample.Budget(id, 1, 4000, final: true));
            row.Apply(Sample.Completed(id));
        }, [Sources.From("chatgpt", 1), Sources.From("chatgpt", 2), Sources.From("claude", 1), Sources.From("claude", 2)]), Sample.At(80));
    }

    [Fact]
    public void Should_have_every_name_that_programs_read()
    {
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(report, AssayJson.Options));
        string[] names = ["auditId", "status", "attempt", "failure", "brand", "metricsVersion", "coverage", "scores", "engines", "competitors", "queries", "answers", "insights", "recommendations", "spend", "lineage", "transitions"];
        foreach (var name in names)
            json.RootElement.TryGetProperty(name, out _).ShouldBeTrue(name);
        var answer = json.RootElement.GetProperty("answers")[0];
        string[] answerNames = ["callKey", "query", "engine", "requestedModel", "servedModel", "surface", "run", "text", "responseTimeMs", "inputTokens", "outputTokens", "costUsd", "cacheHit", "mentions", "features", "snippetPotential", "voiceFitness", "citations"];
        foreach (var name in answerNames)
            answer.TryGetProperty(name, out _).ShouldBeTrue(name);
        var mention = answer.GetProperty("mentions")[0];
        foreach (var name in new[] { "brand", "alias", "start", "end", "rank", "sentiment", "recommendation", "context" })
            mention.TryGetProperty(name, out _).ShouldBeTrue(name);
        foreach (var name in new[] { "ceilingUsd", "reservedUsd", "spentUsd", "inDoubtUsd", "calls", "paidTries", "inDoubt", "reused" })
            json.RootElement.GetProperty("spend").TryGetProperty(name, out _).ShouldBeTrue(name);
        foreach (var name in new[] { "trackingId", "ancestry", "depth" })
            json.RootElement.GetProperty("lineage").TryGetProperty(name, out _).ShouldBeTrue(name);
        foreach (var name in new[] { "planned", "valid", "declined", "refused", "empty", "inDoubt", "reused", "reasons" })
            json.RootElement.GetProperty("coverage").TryGetProperty(name, out _).ShouldBeTrue(name);
    }

    [Fact]
    public void Should_place_mentions_in_the_text()
    {
        foreach (var answer in report.Answers)
            foreach (var mention in answer.Mentions)
                answer.Text![mention.Start..mention.End].ShouldBe(mention.Alias);
    }

    [Fact]
    public void Should_not_be_provisional_and_say_that_it_is_simulated()
    {
        report.Provisional.ShouldBeFalse();
        report.Simulated.ShouldBeTrue();
        report.Failure.ShouldBeNull();
        report.Spend.SpentUsd.ShouldBe(0.004m);
    }

    [Fact]
    public void Should_order_the_layers() => report.Insights.Select(i => i.Layer).ShouldBe([1, 3]);
}

public sealed class AReportOfAnAuditThatFailedHalfWay
{
    static Report Assemble(int inDoubt, long reserved, bool final)
    {
        var id = Guid.CreateVersion7();
        return ReportAssembly.Assemble(Sources.Of(id, row =>
        {
            row.Apply(Sample.Budget(id, 1, 4000, final, inDoubt: inDoubt, reserved: reserved));
            row.Apply(Sample.Failed(id));
        }, [Sources.From("chatgpt", 1), Sources.From("chatgpt", 2, "refused", "policy")], scored: false), Sample.At(80));
    }

    [Theory]
    [InlineData(0, 0, true, 2, 0)]
    [InlineData(1, 0, true, 1, 1)]
    [InlineData(0, 100_000, false, 1, 1)]
    [InlineData(5, 0, true, 0, 2)]
    public void Should_count_what_was_never_decided_as_declined_unless_on_the_wire(int inDoubt, long reserved, bool final, int declined, int doubtful)
    {
        var report = Assemble(inDoubt, reserved, final);
        report.Coverage.Planned.ShouldBe(4);
        report.Coverage.Valid.ShouldBe(1);
        report.Coverage.Refused.ShouldBe(1);
        report.Coverage.Declined.ShouldBe(declined);
        report.Coverage.InDoubt.ShouldBe(doubtful);
        var c = report.Coverage;
        (c.Valid + c.Declined + c.Refused + c.Empty + c.InDoubt).ShouldBe(c.Planned);
        c.Reasons.GetValueOrDefault("AuditClosed").ShouldBe(declined);
    }

    [Fact]
    public void Should_tell_the_reason_and_keep_what_was_answered()
    {
        var report = Assemble(0, 0, true);
        report.Status.ShouldBe(AuditStates.Failed);
        report.Failure!.Reason.ShouldBe(FailureReasons.Stalled);
        report.Failure.Phase.ShouldBe(AuditStates.Asking);
        report.Scores.ShouldBeEmpty();
        report.Answers.Count(a => a.Text is not null).ShouldBe(1);
        report.Queries.Count.ShouldBe(2);
        report.Queries[0].Mentions.ShouldBe(1);
        report.Competitors.Single().Name.ShouldBe("Sony");
    }
}

public sealed class ACsvCell
{
    [Theory]
    [InlineData("=1+1", "\"'=1+1\"")]
    [InlineData("+cmd", "\"'+cmd\"")]
    [InlineData("-2", "\"'-2\"")]
    [InlineData("@SUM(A1)", "\"'@SUM(A1)\"")]
    [InlineData("  =1", "\"'  =1\"")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("\r\n=1", "\"'\r\n=1\"")]
    [InlineData("＝1", "\"'＝1\"")]
    [InlineData("plain \"quoted\", text", "\"plain \"\"quoted\"\", text\"")]
    [InlineData("\u202E=1+1", "\"⟨U+202E⟩=1+1\"")]
    [InlineData("\u0000=1", "\"⟨U+0000⟩=1\"")]
    [InlineData("", "")]
    public void Should_never_be_a_formula(string text, string cell) => CsvReport.Text(text).ShouldBe(cell);
}

public sealed class AProportion
{
    [Fact]
    public void Should_allow_for_what_was_not_seen()
    {
        var none = Wilson.Of(0, 45);
        none.Value.ShouldBe(0);
        none.High!.Value.ShouldBe(0.0787, 0.0001);
        Wilson.Of(0, 0).Value.ShouldBeNull();
    }
}
