using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using CompareAuditsCommand = Assay.Contracts.Internal.Analyzer.CompareAudits;
using EraseAnswersCommand = Assay.Contracts.Internal.Analyzer.EraseAnswers;
using PlanQueriesCommand = Assay.Contracts.Internal.Analyzer.PlanQueries;
using RederiveAuditCommand = Assay.Contracts.Internal.Analyzer.RederiveAudit;
using ScoreAuditCommand = Assay.Contracts.Internal.Analyzer.ScoreAudit;

namespace Assay.Analyzer.Tests;

public sealed class LookingBackAtAudits
{
    const string With = "For working out I would recommend the Soundcore Sport X20 because it stays in place. Sony is also good, and so is Beats for many people.";
    const string Without = "For working out most people are happy with Sony or JBL. Both of them are comfortable, and the battery lasts for a whole week of training.";

    [Fact]
    public async Task Should_read_an_audit_again_under_other_names_without_changing_it()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = await AuditAsync(analyzer, With, Without);

        var rederived = await analyzer.AskAsync<RederiveAuditCommand, AuditRederived>(new()
        {
            AuditId = audit,
            Brand = Requests.Anker().Brand with { Aliases = [] },
            Competitors = [new Competitor { Name = "Sony" }, new Competitor { Name = "Beats" }],
        });

        rederived.Reason.ShouldBeNull();
        rederived.AnswersRead.ShouldBe(2);
        rederived.Before.ShouldNotBeNull().Scores["visibility"].Value.ShouldBe(0.5);
        rederived.After.ShouldNotBeNull().Scores["visibility"].Value.ShouldBe(0);
        rederived.After.Competitors.Select(c => c.Name).ShouldBe(["Sony", "Beats"]);
        var first = rederived.Changed.Single(c => c.QueryId == "q001");
        first.Lost.ShouldBe(["Anker"]);
        first.Found.ShouldBe(["Beats"]);
        rederived.Changed.Single(c => c.QueryId == "q002").Lost.ShouldBe(["JBL"]);
        (await analyzer.InDatabaseAsync(db => db.Scores.CountAsync())).ShouldBe(1);
    }

    [Fact]
    public async Task Should_give_the_same_scores_when_nothing_changed()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = await AuditAsync(analyzer, With, Without);

        var rederived = await analyzer.AskAsync<RederiveAuditCommand, AuditRederived>(new() { AuditId = audit });

        rederived.Changed.ShouldBeEmpty();
        rederived.After.ShouldNotBeNull().Scores.ShouldBe(rederived.Before.ShouldNotBeNull().Scores, ignoreOrder: true);
    }

    [Fact]
    public async Task Should_refuse_a_metrics_version_it_does_not_know_and_name_those_it_does()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = await AuditAsync(analyzer, With, Without);

        (await analyzer.AskAsync<RederiveAuditCommand, AuditRederived>(new() { AuditId = audit, MetricsVersion = "metrics-v0" })).Reason.ShouldNotBeNull().ShouldContain(MetricsVersions.V1);
        (await analyzer.AskAsync<RederiveAuditCommand, AuditRederived>(new() { AuditId = audit, MetricsVersion = MetricsVersions.V1 })).After.ShouldNotBeNull().MetricsVersion.ShouldBe(MetricsVersions.V1);
    }

    [Fact]
    public async Task Should_read_an_audit_again_that_ended_before_it_was_scored()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = await AuditAsync(analyzer, With, Without, scored: false);

        var rederived = await analyzer.AskAsync<RederiveAuditCommand, AuditRederived>(new() { AuditId = audit, Brand = new Brand { Name = "Beats" } });

        rederived.Reason.ShouldBeNull();
        rederived.Before.ShouldNotBeNull().Scores["visibility"].Value.ShouldBe(0.5);
        rederived.After.ShouldNotBeNull().Scores["visibility"].Value.ShouldBe(0.5);
        rederived.Names.Select(name => (name.Name, name.Strictness)).ShouldContain(("Beats", NameStrictness.OrdinaryWord));
        (await analyzer.InDatabaseAsync(db => db.Scores.CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_score_what_was_answered_of_an_audit_that_ended_early_and_store_nothing()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = await AuditAsync(analyzer, With, Without, scored: false);

        var partial = await analyzer.AskAsync<GetPartialScores, PartialScores>(new() { AuditId = audit });

        partial.Scored.ShouldNotBeNull().ShouldSatisfyAllConditions(s => s.Scores["visibility"].Value.ShouldBe(0.5), s => s.Coverage.Valid.ShouldBe(2), s => s.Attempt.ShouldBe(1));
        (await analyzer.InDatabaseAsync(db => db.Scores.CountAsync())).ShouldBe(0);
        (await analyzer.AskAsync<GetPartialScores, PartialScores>(new() { AuditId = NewId.NextGuid() })).Scored.ShouldBeNull();
    }

    [Fact]
    public async Task Should_compare_two_audits_on_the_queries_both_have_and_say_when_it_cannot()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var earlier = await AuditAsync(analyzer, Without, Without);
        var later = await AuditAsync(analyzer, With, With);

        var compared = await analyzer.AskAsync<CompareAuditsCommand, AuditsCompared>(new() { AuditId = later, EarlierAuditId = earlier });

        compared.SharedQueries.ShouldBe(2);
        var visibility = compared.Changes.Single(c => c.Metric == "visibility");
        visibility.ShouldSatisfyAllConditions(
            v => v.Before.Value.ShouldBe(0),
            v => v.After.Value.ShouldBe(1),
            v => v.Difference.Value.ShouldBe(1),
            v => v.Verdict.ShouldNotBe("not comparable"));

        var unknown = await analyzer.AskAsync<CompareAuditsCommand, AuditsCompared>(new() { AuditId = later, EarlierAuditId = NewId.NextGuid() });
        unknown.Reason.ShouldNotBeNull();
        unknown.Changes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Should_erase_everything_of_one_audit_and_nothing_of_another(string database)
    {
        await using var analyzer = await AnalyzerHost.OnAsync(database);
        var erased = await AuditAsync(analyzer, With, Without);
        var kept = await AuditAsync(analyzer, With, Without);

        (await analyzer.AskAsync<EraseAnswersCommand, AnswersErased>(new() { AuditId = erased, RequestedBy = "test" })).Answers.ShouldBe(2);
        (await analyzer.AskAsync<EraseAnswersCommand, AnswersErased>(new() { AuditId = erased, RequestedBy = "test" })).Answers.ShouldBe(0);

        (await analyzer.AskAsync<GetAnswerTexts, Contracts.Internal.Analyzer.AnswerTexts>(new() { AuditId = erased, CallKeys = [$"{erased:N}1"] })).Texts.ShouldBeEmpty();
        (await analyzer.AskAsync<GetAnswerTexts, Contracts.Internal.Analyzer.AnswerTexts>(new() { AuditId = kept, CallKeys = [$"{kept:N}1"] })).Texts.Count.ShouldBe(1);
        (await analyzer.AskAsync<RederiveAuditCommand, AuditRederived>(new() { AuditId = erased })).Reason.ShouldNotBeNull();
    }

    static async Task<Guid> AuditAsync(AnalyzerHost analyzer, string first, string second, bool scored = true)
    {
        var audit = NewId.NextGuid();
        var batch = NewId.NextGuid();
        await analyzer.SendAsync(new PlanQueriesCommand
        {
            AuditId = audit,
            Attempt = 1,
            Request = Requests.Anker(audit) with { Queries = ["best earbuds for working out", "earbuds with a long battery life"] },
            AdvisorAvailable = false,
            DeadlineAt = DateTime.UtcNow.AddMinutes(5),
        });
        await analyzer.HearAsync<QueriesPlanned>(planned => planned.AuditId == audit);
        await analyzer.SendAsync(Answers.Batch(audit, batch, Purposes.Answer, Answers.Answered($"{audit:N}1", "q001", first), Answers.Answered($"{audit:N}2", "q002", second)));
        await analyzer.HearAsync<AnswersAnalyzed>(analyzed => analyzed.AuditId == audit);
        if (!scored)
            return audit;
        await analyzer.SendAsync(new ScoreAuditCommand { AuditId = audit, Attempt = 1, BatchIds = [batch] });
        await analyzer.HearAsync<AuditScored>(scored => scored.AuditId == audit);
        return audit;
    }
}
