using System.Text.Json;
using Assay.Analyzer.DraftInsights;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.Tests.DraftInsights;

public sealed class CheckingAnInsight
{
    static readonly Evidence Audit = Evidences.Small();
    static readonly InsightTheme Theme = InsightThemes.Of(1)[0];

    [Theory]
    [InlineData("Anker is named in 62.5 % of answers (95 % interval 40 to 80 %).")]
    [InlineData("Visibility is 0.625, between 0.4 and 0.8.")]
    [InlineData("Visibility is about 63 % over 8 queries.")]
    [InlineData("Two of the engines differ; the top 3 rate could not be measured.")]
    [InlineData("Buyers who ask for earbuds under $100 hear of Sony first.")]
    [InlineData("The average rank is 2,25.")]
    public void Should_accept_numbers_the_scores_hold(string text) =>
        Check(text).Insight.ShouldNotBeNull().Available.ShouldBeTrue();

    [Theory]
    [InlineData("Visibility is 71 %.", "71")]
    [InlineData("Visibility rose by 12.5 points.", "12.5")]
    [InlineData("9 of 10 answers name Anker.", "9")]
    [InlineData("It leads by 1,234 mentions.", "1,234")]
    public void Should_reject_a_number_the_scores_do_not_hold(string text, string number) =>
        Check(text).Complaint.ShouldNotBeNull().ShouldContain(number);

    [Fact]
    public void Should_reject_an_answer_that_does_not_exist() =>
        Check("Anker is visible.", ["call-1", "call-99"]).Complaint.ShouldNotBeNull().ShouldContain("call-99");

    [Fact]
    public void Should_understand_the_short_names_of_long_call_keys()
    {
        var keys = Audit.Answers.ToDictionary(a => a.CallKey, a => $"{a.CallKey[^1]}{new string('f', 63)}");
        var audit = Audit with { Answers = [.. Audit.Answers.Select(a => a with { CallKey = keys[a.CallKey] })] };

        LayerDraft.FirstQuestions(1, audit, [])[0].Text.ShouldNotContain(keys["call-1"]);
        InsightCheck.Check(Theme, """{"title":"t","text":"x","evidence":["1fffffffff"]}""", audit, []).Insight.ShouldNotBeNull().CallKeys.ShouldBe([keys["call-1"]]);
        InsightCheck.Check(Theme, """{"title":"t","text":"x","evidence":["9fffffffff"]}""", audit, []).Complaint.ShouldNotBeNull();
    }

    [Fact]
    public void Should_reject_a_finding_without_evidence() =>
        Check("Anker is visible.", []).Complaint.ShouldNotBeNull().ShouldContain("evidence");

    [Theory]
    [InlineData("")]
    [InlineData("no JSON at all")]
    [InlineData("[]")]
    [InlineData("""{"title":1,"text":"x","evidence":[]}""")]
    [InlineData("""{"title":"t","text":"","evidence":["call-1"]}""")]
    [InlineData("""{"title":"t","text":"x","evidence":"call-1"}""")]
    [InlineData("""{"title":"t","text":"x","evidence":[1]}""")]
    [InlineData("""{"title":"\ud800","text":"x","evidence":["call-1"]}""")]
    public void Should_reject_another_shape(string? answer) =>
        InsightCheck.Check(Theme, answer, Audit, []).Complaint.ShouldNotBeNull();

    [Fact]
    public void Should_reject_deep_nesting_and_huge_answers_without_harm()
    {
        InsightCheck.Check(Theme, new string('{', 100_000) + new string('}', 100_000), Audit, []).Complaint.ShouldNotBeNull();
        InsightCheck.Check(Theme, "{\"title\":\"" + new string('x', 2_000_000) + "\"}", Audit, []).Complaint.ShouldNotBeNull();
    }

    [Fact]
    public void Should_hold_a_synthesis_to_the_findings_below()
    {
        var theme = InsightThemes.Of(2)[0];
        Insight[] below = [InsightCheck.Unavailable(Theme, "") with { Available = true }];

        InsightCheck.Check(theme, """{"title":"t","text":"x","insights":["L1-01"]}""", Audit, below).Insight.ShouldNotBeNull().InsightIds.ShouldBe(["L1-01"]);
        InsightCheck.Check(theme, """{"title":"t","text":"x","insights":["L1-09"]}""", Audit, below).Complaint.ShouldNotBeNull().ShouldContain("L1-09");
        InsightCheck.Check(theme, """{"title":"t","text":"x","insights":[]}""", Audit, below).Complaint.ShouldNotBeNull();
    }

    [Fact]
    public void Should_keep_only_actions_that_name_what_exists()
    {
        var theme = InsightThemes.Of(3)[0];
        Insight[] below = [InsightCheck.Unavailable(Theme, "") with { Available = true }];
        var good = """{"title":"Act","action":"Publish a guide.","query":"Best earbuds under $100","engine":"ChatGPT","metric":"visibility","evidence":["call-1"]}""";
        string[] bad =
        [
            good.Replace("call-1", "call-77"), good.Replace("ChatGPT", "grok"), good.Replace("visibility", "happiness"),
            good.Replace("Best earbuds under $100", "no such query"), good.Replace("a guide", "71 guides"), good.Replace("[\"call-1\"]", "[]"), "null", "3",
        ];

        var check = InsightCheck.Check(theme, $$"""{"title":"t","text":"x","insights":["L1-01"],"recommendations":[{{good}},{{string.Join(',', bad)}}]}""", Audit, below);

        check.Recommendations.ShouldHaveSingleItem().Source.ShouldBe("advisor");
        check.Recommendations[0].Query.ShouldBe("best earbuds under $100");
    }

    static CheckedInsight Check(string text, string[]? evidence = null) =>
        InsightCheck.Check(Theme, JsonSerializer.Serialize(new { title = "Visibility", text, evidence = evidence ?? ["call-1"] }), Audit, []);
}

public sealed class JudgingALayer
{
    static readonly Evidence Audit = Evidences.Small();
    static readonly IReadOnlyList<Question> Asked = LayerDraft.FirstQuestions(1, Audit, []);

    [Fact]
    public void Should_ask_eighteen_three_and_one()
    {
        Asked.Count.ShouldBe(18);
        InsightThemes.Of(2).Count.ShouldBe(3);
        InsightThemes.Of(3).Count.ShouldBe(1);
        Asked.Select(q => q.QuestionId).Distinct().Count().ShouldBe(18);
    }

    [Fact]
    public void Should_ask_the_same_to_the_letter_whatever_the_order_of_the_rows()
    {
        var turned = Audit with { Answers = [.. Audit.Answers.Reverse()] };

        LayerDraft.FirstQuestions(1, turned, []).ShouldBe(Asked);
    }

    [Fact]
    public void Should_show_at_most_twelve_answers()
    {
        var many = Audit with { Answers = [.. Enumerable.Range(0, 100).Select(i => Audit.Answers[0] with { CallKey = $"call-{i}" })] };

        foreach (var theme in InsightThemes.Of(1))
            InsightPrompt.Shown(theme, many, []).Count.ShouldBeLessThanOrEqualTo(12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Should_fit_the_size_a_quote_counts_on_however_large_the_audit(int layer)
    {
        var query = Audit.Scores.Queries[0];
        var large = Audit with
        {
            Competitors = [.. Enumerable.Range(0, 50).Select(i => $"Competitor number {i}")],
            Answers = [.. Enumerable.Range(0, 400).Select(i => Audit.Answers[i % 4] with { CallKey = $"{i:x64}", Query = new string('q', 2000), Excerpt = new string('é', 2000), Mentions = [.. Enumerable.Repeat(Audit.Answers[0].Mentions[0], 50)] })],
            Scores = Audit.Scores with
            {
                Engines = [.. Enumerable.Range(0, 20).Select(i => Audit.Scores.Engines[0] with { Name = $"engine-{i}" })],
                Competitors = [.. Enumerable.Range(0, 50).Select(i => Audit.Scores.Competitors[0] with { Name = $"Competitor number {i}" })],
                Queries = [.. Enumerable.Range(0, 1000).Select(i => query with { QueryId = $"q{i}", Query = new string('q', 2000) + i })],
            },
        };
        Insight[] below = [.. InsightThemes.Of(1).Select(theme => InsightCheck.Unavailable(theme, "") with { Available = true, Text = new string('t', 3000), CallKeys = [.. large.Answers.Take(60).Select(a => a.CallKey)] })];

        foreach (var question in LayerDraft.FirstQuestions(layer, large, below))
            System.Text.Encoding.UTF8.GetByteCount(question.System + question.Text).ShouldBeLessThanOrEqualTo(InsightPrompt.MaxBytes, question.QuestionId);
    }

    [Fact]
    public void Should_ask_a_rejected_one_again_with_the_complaint_and_settle_the_rest()
    {
        var progress = Judge(1, [Good("L1-01"), Answers.Answered("a2", "L1-02", "nonsense"), Answers.Declined("a3", "L1-03")]);

        progress.Again.ShouldHaveSingleItem().QuestionId.ShouldBe("L1-02");
        progress.Again[0].Run.ShouldBe(2);
        progress.Again[0].Text.ShouldContain("rejected");
        progress.Settled.Single(i => i.InsightId == "L1-01").Available.ShouldBeTrue();
        progress.Settled.Single(i => i.InsightId == "L1-03").Reason.ShouldNotBeNull().ShouldContain("CeilingReached");
        progress.Settled.Count.ShouldBe(17);
    }

    [Fact]
    public void Should_give_up_the_second_time_and_say_why()
    {
        var progress = LayerDraft.Judge(1, 2, [Asked[1]], [Answers.Answered("a2", "L1-02", "nonsense")], Audit, []);

        progress.Again.ShouldBeEmpty();
        progress.Settled.ShouldHaveSingleItem().Reason.ShouldNotBeNull().ShouldContain("twice");
    }

    [Theory]
    [InlineData(CallStates.Refused)]
    [InlineData(CallStates.Empty)]
    [InlineData(CallStates.InDoubt)]
    [InlineData(CallStates.Declined)]
    public void Should_never_ask_again_what_the_ledger_decided(string state)
    {
        var progress = Judge(1, [Answers.Answered("a1", "L1-01", "x") with { State = state, Text = null }]);

        progress.Again.ShouldBeEmpty();
        progress.Settled.ShouldAllBe(i => !i.Available && i.Reason != null);
    }

    [Fact]
    public void Should_take_the_first_of_two_answers_to_one_question() =>
        Judge(1, [Good("L1-01"), Answers.Answered("again", "L1-01", "nonsense")]).Again.ShouldBeEmpty();

    static LayerProgress Judge(int round, EngineAnswer[] answers) => LayerDraft.Judge(1, round, Asked, answers, Audit, []);

    static EngineAnswer Good(string id) => Answers.Answered("good-" + id, id, """{"title":"Fine","text":"Anker is visible.","evidence":["call-1"]}""");
}

public sealed class RecommendingByRule
{
    [Fact]
    public void Should_give_at_least_three_actions_each_naming_query_engine_metric_and_evidence()
    {
        var actions = RuleRecommendations.Complete([], Evidences.Small());

        actions.Count.ShouldBeGreaterThanOrEqualTo(3);
        actions.ShouldAllBe(a => a.Query != null && a.Engine != null && a.Metric.Length > 0 && a.CallKeys.Count > 0 && a.Source == "rules");
    }

    [Fact]
    public void Should_give_three_actions_where_everything_is_perfect()
    {
        var audit = Evidences.Small();
        var perfect = audit with { Answers = [.. audit.Answers.Select(a => a with { MentionsBrand = true, Mentions = [new("Anker", 1, 1, 1)], CitesOwned = true })] };
        perfect = perfect with { Scores = perfect.Scores with { Competitors = [], Queries = [.. perfect.Scores.Queries.Select(q => q with { Mentions = q.ValidAnswers })] } };

        RuleRecommendations.Complete([], perfect).Count.ShouldBeGreaterThanOrEqualTo(3);
    }

    [Fact]
    public void Should_leave_enough_advice_alone_and_fill_up_too_little()
    {
        var advised = Enumerable.Range(0, 3).Select(i => new Recommendation { Title = $"{i}", Action = "a", Metric = "visibility", CallKeys = [], Source = "advisor" }).ToList();

        RuleRecommendations.Complete(advised, Evidences.Small()).ShouldBe(advised);
        RuleRecommendations.Complete(advised[..1], Evidences.Small()).ShouldSatisfyAllConditions(
            actions => actions[0].ShouldBe(advised[0]),
            actions => actions.Count.ShouldBeGreaterThanOrEqualTo(3));
    }
}
