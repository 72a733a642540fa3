using System.Text.Json;
using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.ScoreAudit;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using DraftInsightsCommand = Assay.Contracts.Internal.Analyzer.DraftInsights;
using PlanQueriesCommand = Assay.Contracts.Internal.Analyzer.PlanQueries;
using ScoreAuditCommand = Assay.Contracts.Internal.Analyzer.ScoreAudit;

namespace Assay.Analyzer.Tests;

public sealed class AnAuditThroughTheAnalyzer
{
    const string With = "For working out I would recommend the Soundcore Sport X20 because it stays in place. Sony is also good. See https://www.rtings.com/headphones for tests.";
    const string Without = "For working out most people are happy with Sony or JBL. Both of them are comfortable, and the battery lasts for a whole week of training.";

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Should_plan_read_score_and_draft_once_however_often_it_is_told(string database)
    {
        await using var analyzer = await AnalyzerHost.OnAsync(database);
        var audit = NewId.NextGuid();

        // Plan, twice.
        await analyzer.SendAsync(Plan(audit));
        var plan = await analyzer.HearAsync<QueriesPlanned>();
        await analyzer.SendAsync(Plan(audit));
        (await analyzer.HearAsync<QueriesPlanned>(number: 2)).ShouldBeEquivalentTo(plan);
        plan.Source.ShouldBe("given");
        plan.Queries.Select(q => q.QueryId).ShouldBe(["q001", "q002"]);

        // One batch, twice: the same result, no second row.
        var batch = NewId.NextGuid();
        var answered = Answers.Batch(audit, batch, Purposes.Answer, Answers.Answered("k1", "q001", With), Answers.Answered("k2", "q002", Without), Answers.Declined("k3", "q001"));
        await analyzer.SendAsync(answered);
        var analyzed = await analyzer.HearAsync<AnswersAnalyzed>();
        await analyzer.SendAsync(answered);
        (await analyzer.HearAsync<AnswersAnalyzed>(number: 2)).ShouldBeEquivalentTo(analyzed);
        analyzed.Coverage.ShouldSatisfyAllConditions(c => c.Planned.ShouldBe(3), c => c.Valid.ShouldBe(2), c => c.Declined.ShouldBe(1), c => c.Reasons["CeilingReached"].ShouldBe(1));
        analyzed.SpentMicroUsd.ShouldBe(20);
        var described = await analyzer.HearAsync<AnswersDescribed>();
        (await analyzer.HearAsync<AnswersDescribed>(number: 2)).ShouldBeEquivalentTo(described);
        described.Answers[0].Mentions.ShouldContain(m => m.Brand == "Anker" && With.Substring(m.Start, m.End - m.Start) == "Soundcore");
        await analyzer.HearAsync<AnswersStored>(number: 2);
        (await analyzer.InDatabaseAsync(db => db.Answers.CountAsync())).ShouldBe(3);

        // The text is here.
        var texts = await analyzer.AskAsync<GetAnswerTexts, Contracts.Internal.Analyzer.AnswerTexts>(new() { AuditId = audit, CallKeys = ["k1", "k3", "nobody"] });
        texts.Texts.ShouldHaveSingleItem().Text.ShouldBe(With);

        // Scores, twice.
        await analyzer.SendAsync(new ScoreAuditCommand { AuditId = audit, Attempt = 1, BatchIds = [batch] });
        var scored = await analyzer.HearAsync<AuditScored>();
        await analyzer.SendAsync(new ScoreAuditCommand { AuditId = audit, Attempt = 1, BatchIds = [batch] });
        (await analyzer.HearAsync<AuditScored>(number: 2)).ScoreId.ShouldBe(scored.ScoreId);
        scored.Scores["visibility"].ShouldSatisfyAllConditions(v => v.Value.ShouldBe(0.5), v => v.Low.ShouldNotBeNull(), v => v.High.ShouldNotBeNull());
        scored.Coverage.Planned.ShouldBe(3);
        scored.Simulated.ShouldBeTrue();
        scored.Competitors.Select(c => c.Name).ShouldBe(["Sony", "JBL"]);
        scored.Queries.Single(q => q.QueryId == "q001").ShouldSatisfyAllConditions(q => q.ValidAnswers.ShouldBe(1), q => q.Mentions.ShouldBe(1));

        // Layer 1 with an advisor that fails one of its answers twice.
        await analyzer.SendAsync(Draft(audit, 1, scored.ScoreId));
        var ask = await analyzer.HearAsync<AskEngine>();
        ask.Questions.Count.ShouldBe(18);
        ask.Json.ShouldBeTrue();
        await analyzer.SendAsync(Draft(audit, 1, scored.ScoreId));
        (await analyzer.HearAsync<AskEngine>(number: 2)).BatchId.ShouldBe(ask.BatchId);
        await analyzer.SendAsync(Advice(audit, ask, q => q.QuestionId == "L1-04" ? """{"title":"x","text":"71 % of everything","evidence":["k1"]}""" : Finding(["k1"], [])));
        var again = await analyzer.HearAsync<AskEngine>(a => a.BatchId != ask.BatchId);
        again.Questions.ShouldHaveSingleItem().QuestionId.ShouldBe("L1-04");
        await analyzer.SendAsync(Advice(audit, again, _ => "nonsense"));
        var first = await analyzer.HearAsync<InsightsDrafted>(d => d.Layer == 1);
        first.Insights.Count.ShouldBe(18);
        first.Insights.Count(i => i.Available).ShouldBe(17);
        first.Insights.Single(i => !i.Available).ShouldSatisfyAllConditions(i => i.InsightId.ShouldBe("L1-04"), i => i.Reason.ShouldNotBeNull());
        first.SpentMicroUsd.ShouldBe(19 * 10);

        // The answer of a batch nobody waits for any more changes nothing.
        await analyzer.SendAsync(Advice(audit, again, _ => Finding(["k1"], [])));
        await analyzer.SendAsync(Draft(audit, 1, scored.ScoreId));
        (await analyzer.HearAsync<InsightsDrafted>(d => d.Layer == 1, number: 2)).ShouldBeEquivalentTo(first);

        // Layer 2 rests on layer 1, layer 3 on both; no advisor for the last: rules recommend.
        await analyzer.SendAsync(Draft(audit, 2, scored.ScoreId));
        var second = await analyzer.HearAsync<AskEngine>(a => a.Questions.Count == 3);
        await analyzer.SendAsync(Advice(audit, second, _ => Finding(["k2"], ["L1-01"])));
        (await analyzer.HearAsync<InsightsDrafted>(d => d.Layer == 2)).Insights.ShouldAllBe(i => i.Available && i.InsightIds.Contains("L1-01"));
        await analyzer.SendAsync(Draft(audit, 3, scored.ScoreId) with { AdvisorAvailable = false });
        var summary = await analyzer.HearAsync<InsightsDrafted>(d => d.Layer == 3);
        summary.Insights.ShouldHaveSingleItem().Available.ShouldBeFalse();
        summary.Recommendations.Count.ShouldBeGreaterThanOrEqualTo(3);
        summary.Recommendations.ShouldAllBe(r => r.Source == "rules" && r.Query != null && r.Engine != null && r.CallKeys.Count > 0);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Should_score_what_it_has_just_read_and_read_anew_what_was_written_since(string database)
    {
        await using var analyzer = await AnalyzerHost.OnAsync(database);
        var (audit, batch) = (NewId.NextGuid(), NewId.NextGuid());
        await analyzer.SendAsync(Plan(audit));
        await analyzer.HearAsync<QueriesPlanned>();
        await analyzer.SendAsync(Answers.Batch(audit, batch, Purposes.Answer, Answers.Answered("k1", "q001", With), Answers.Answered("k2", "q002", Without)));
        await analyzer.HearAsync<AnswersAnalyzed>();
        Task<IReadOnlyList<PanelAnswer>> Panel(ReadingMemory? remembered) => analyzer.InDatabaseAsync(db => PanelReader.ReadAsync(db, remembered, audit, [batch], default));
        var memory = analyzer.Service<ReadingMemory>();

        var panel = await Panel(remembered: null);
        (await Panel(memory)).ShouldBeEquivalentTo(panel);
        panel.Count(answer => answer.Scored.Brands[0].Mentioned).ShouldBe(1);

        await analyzer.InDatabaseAsync(db => db.Answers.Where(x => x.CallKey == "k1").ExecuteUpdateAsync(set => set.SetProperty(x => x.Reading, "unreadable")));
        (await Panel(memory)).ShouldBeEquivalentTo(panel, "what is remembered is not loaded again");
        (await Should.ThrowAsync<InvalidOperationException>(Panel(remembered: null))).Message.ShouldContain("k1");
        await analyzer.InDatabaseAsync(db => db.Answers.Where(x => x.CallKey == "k1").ExecuteUpdateAsync(set => set.SetProperty(x => x.Version, 1)));
        (await Should.ThrowAsync<InvalidOperationException>(Panel(memory))).Message.ShouldContain("k1");
    }

    [Fact]
    public async Task Should_ask_the_advisor_for_a_panel_and_keep_it_for_a_later_attempt()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = NewId.NextGuid();
        var command = Plan(audit) with { AdvisorAvailable = true, Request = Requests.Anker(audit) with { Queries = null, QueryCount = 8 } };

        await analyzer.SendAsync(command);
        var first = await analyzer.HearAsync<AskEngine>();
        // The first attempt's answer never comes; the second attempt asks a batch of its own, and only that one is heard.
        await analyzer.SendAsync(command with { Attempt = 2 });
        var second = await analyzer.HearAsync<AskEngine>(a => a.Attempt == 2);
        second.BatchId.ShouldNotBe(first.BatchId);
        second.Questions.ShouldBe(first.Questions, "the same question finds its paid answer in the ledger");
        await analyzer.SendAsync(Advice(audit, first, _ => """{"queries":[{"text":"A late question about chargers?","category":"use case"}]}"""));
        await analyzer.SendAsync(Advice(audit, second, _ => """{"queries":[{"text":"Which charger is best for a long flight?","category":"use case"}]}""") with { Attempt = 2 });

        var planned = await analyzer.HearAsync<QueriesPlanned>();
        planned.ShouldSatisfyAllConditions(p => p.Attempt.ShouldBe(2), p => p.Source.ShouldBe("advisor"), p => p.Queries.Count.ShouldBe(9), p => p.SpentMicroUsd.ShouldBe(10));
        planned.Queries.ShouldContain(q => q.Text == "Which charger is best for a long flight?");

        await analyzer.SendAsync(command with { Attempt = 3, AdvisorAvailable = false });
        var later = await analyzer.HearAsync<QueriesPlanned>(p => p.Attempt == 3);
        later.Queries.ShouldBeEquivalentTo(planned.Queries);
        later.SpentMicroUsd.ShouldBe(0);
    }

    [Fact]
    public async Task Should_reuse_its_own_texts_and_never_go_back_to_an_older_attempt()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();
        var audit = NewId.NextGuid();
        await analyzer.SendAsync(Plan(audit));
        await analyzer.HearAsync<QueriesPlanned>();
        var (one, two, late) = (NewId.NextGuid(), NewId.NextGuid(), NewId.NextGuid());

        await analyzer.SendAsync(Answers.Batch(audit, one, Purposes.Answer, Answers.Answered("k1", "q001", With), Answers.Declined("k2", "q002")));
        await analyzer.HearAsync<AnswersAnalyzed>(a => a.BatchId == one);
        await analyzer.SendAsync(Answers.Batch(audit, two, Purposes.Answer,
            Answers.Answered("k1", "q001", With) with { Text = null, Reused = true },
            Answers.Answered("k2", "q002", Without),
            Answers.Answered("k9", "q002", Without) with { Text = null, Reused = true }) with { Attempt = 2 });
        var second = await analyzer.HearAsync<AnswersAnalyzed>(a => a.BatchId == two);
        second.Coverage.ShouldSatisfyAllConditions(c => c.Valid.ShouldBe(2), c => c.Reused.ShouldBe(1), c => c.Declined.ShouldBe(1), c => c.Reasons["TextLost"].ShouldBe(1));
        second.SpentMicroUsd.ShouldBe(10);

        await analyzer.SendAsync(Answers.Batch(audit, late, Purposes.Answer, Answers.Declined("k2", "q002")));
        await analyzer.HearAsync<AnswersAnalyzed>(a => a.BatchId == late);

        var row = await analyzer.InDatabaseAsync(db => db.Answers.SingleAsync(x => x.CallKey == "k2"));
        row.ShouldSatisfyAllConditions(x => x.Outcome.ShouldBe("valid"), x => x.Attempt.ShouldBe(2), x => x.BatchId.ShouldBe(two));
    }

    [Fact]
    public async Task Should_fault_with_a_cause_when_it_does_not_know_the_audit()
    {
        await using var analyzer = await AnalyzerHost.OnSqliteAsync();

        await analyzer.SendAsync(Answers.Batch(NewId.NextGuid(), NewId.NextGuid(), Purposes.Answer, Answers.Answered("k1", "q001", With)));

        var fault = await analyzer.HearAsync<Fault<EngineAnswered>>();
        fault.Exceptions[0].Message.ShouldContain("subject");
        (await analyzer.InDatabaseAsync(db => db.Answers.CountAsync())).ShouldBe(0);
    }

    static PlanQueriesCommand Plan(Guid audit) => new()
    {
        AuditId = audit,
        Attempt = 1,
        Request = Requests.Anker(audit) with { Queries = ["best earbuds for working out", "earbuds with a long battery life"] },
        AdvisorAvailable = false,
        DeadlineAt = DateTime.UtcNow.AddMinutes(5),
    };

    static DraftInsightsCommand Draft(Guid audit, int layer, Guid scoreId) =>
        new() { AuditId = audit, Attempt = 1, Layer = layer, ScoreId = scoreId, AdvisorAvailable = true, DeadlineAt = DateTime.UtcNow.AddMinutes(5) };

    static string Finding(string[] evidence, string[] insights) => JsonSerializer.Serialize(new { title = "A finding", text = "Anker is named in 50 % of the answers.", evidence, insights });

    static EngineAnswered Advice(Guid audit, AskEngine ask, Func<Question, string> answer) =>
        Answers.Batch(audit, ask.BatchId, ask.Purpose, [.. ask.Questions.Select(question => Answers.Answered($"{ask.BatchId:N}-{question.QuestionId}", question.QuestionId, answer(question), question.Run))]);
}
