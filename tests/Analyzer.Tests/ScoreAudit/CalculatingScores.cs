using System.Text.Json;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.ReadAnswer;
using Assay.Analyzer.Score.Metrics;
using Assay.Analyzer.ScoreAudit;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;


namespace Assay.Analyzer.Tests.ScoreAudit;

public sealed class CalculatingScores
{
    static readonly BrandLexicon Lexicon = TrackedBrands.Of(Requests.Anker()).Lexicon;

    [Fact]
    public void Should_give_an_engine_without_a_valid_answer_no_numbers_rather_than_zero()
    {
        var scored = Calculate(Valid("q001", "chatgpt", "I recommend Anker above all others for this purpose."), Invalid("q001", "claude", "declined", "CeilingReached"));

        var silent = scored.Engines.Single(e => e.Name == "claude");
        silent.Scores["visibility"].Value.ShouldBeNull();
        silent.Coverage.ShouldSatisfyAllConditions(c => c.Planned.ShouldBe(1), c => c.Declined.ShouldBe(1), c => c.Reasons["CeilingReached"].ShouldBe(1));
        scored.Scores["visibility"].Value.ShouldBe(1);
        scored.Queries.ShouldHaveSingleItem().ShouldSatisfyAllConditions(q => q.ValidAnswers.ShouldBe(1), q => q.Mentions.ShouldBe(1));
    }

    [Fact]
    public void Should_have_every_metric_of_the_contract_even_where_nothing_was_valid()
    {
        var scored = Calculate(Invalid("q001", "chatgpt", "inDoubt", "Timeout"));

        string[] names = ["visibility", "shareOfVoice", "shareOfVoiceOpen", "shareOfVoiceProminence", "averagePosition", "mrr", "top1", "top3", "recommendationRate", "citationRate", "netSentiment", "discoveryGap", "stability", "contextCompleteness", "pawc", "geo", "falseMentionFloor", "overall"];
        foreach (var name in names)
            scored.Scores.ContainsKey(name).ShouldBeTrue(name);
        scored.Scores.Values.ShouldAllBe(score => score.Value == null);
        scored.Coverage.InDoubt.ShouldBe(1);
    }

    [Fact]
    public void Should_survive_an_audit_without_any_call() =>
        Calculate().Coverage.Planned.ShouldBe(0);

    [Fact]
    public void Should_give_the_same_numbers_whatever_the_order_of_the_rows()
    {
        PanelAnswer[] answers =
        [
            .. Enumerable.Range(1, 9).SelectMany(i => new[]
            {
                Valid($"q{i:000}", "chatgpt", i % 3 == 0 ? "Most people prefer Sony for that." : "I recommend Anker, and Sony after it."),
                Valid($"q{i:000}", "claude", i % 2 == 0 ? "Anker is a solid choice for that." : "There are many good ones, such as JBL."),
            }),
        ];

        Json(Calculate([.. answers.Reverse()])).ShouldBe(Json(Calculate(answers)));
    }

    [Fact]
    public void Should_keep_the_control_query_out_of_the_panel_and_in_the_floor()
    {
        var control = Valid("q002", "chatgpt", "It is known for sturdy cases.");
        control = control with { Scored = control.Scored with { IsControl = true, FictitiousMentioned = true } };

        var scored = Calculate(Valid("q001", "chatgpt", "I recommend Anker for that."), control);

        scored.Queries.Select(q => q.QueryId).ShouldBe(["q001"]);
        scored.Scores["falseMentionFloor"].ShouldSatisfyAllConditions(f => f.Value.ShouldBe(1), f => f.N.ShouldBe(1));
    }

    static AuditScored Calculate(params PanelAnswer[] answers) => ScoreCalculation.Calculate(Guid.Empty, 1, Guid.Empty, answers, DateTime.UnixEpoch);

    static string Json(AuditScored scored) => JsonSerializer.Serialize(scored with { Engines = [.. scored.Engines.OrderBy(e => e.Name, StringComparer.Ordinal)] }, AssayJson.Options);

    static PanelAnswer Valid(string queryId, string engine, string text) => new()
    {
        QueryId = queryId,
        Engine = engine,
        Model = "model-1",
        Simulated = true,
        Outcome = "valid",
        Reused = false,
        Scored = ScoredAnswer.From(AnswerReader.Read(new AnswerToRead { Text = text, Query = $"query {queryId}" }, Lexicon), $"query {queryId}", engine, 1, isBranded: false) with { IsValid = true },
    };

    static PanelAnswer Invalid(string queryId, string engine, string outcome, string reason) => new()
    {
        QueryId = queryId,
        Engine = engine,
        Model = "model-1",
        Simulated = true,
        Outcome = outcome,
        Reason = reason,
        Reused = false,
        Scored = new ScoredAnswer { Query = $"query {queryId}", Engine = engine, IsValid = false, Brands = [.. Lexicon.Brands.Select(b => new ScoredBrand { Brand = b.Name })] },
    };
}
