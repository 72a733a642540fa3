using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Engines.Scripted;

namespace Assay.LlmGateway.Tests.Engines;

public class When_a_scripted_engine_is_asked
{
    static readonly string[] Queries =
    [
        .. Vocabulary.Topics.SelectMany(topic => topic.Uses.Select(use => $"best {topic.Name} for {use}")),
        .. Vocabulary.Topics.Select(topic => $"which {topic.Name} are worth the money?"),
    ];

    [Fact]
    public async Task Should_answer_the_same_for_the_same_name_query_and_run()
    {
        var question = Configured.Question("best earbuds for working out");

        var first = await Configured.Scripted().AskAsync(question);
        var again = await Configured.Scripted().AskAsync(question, "another key");

        again.ShouldBeEquivalentTo(first with { ResponseTimeMs = again.ResponseTimeMs });
    }

    [Fact]
    public async Task Should_answer_differently_for_another_name_query_or_run()
    {
        var texts = new List<string?>();
        foreach (var name in (string[])["chatgpt", "claude", "gemini", "perplexity"])
        {
            foreach (var query in (string[])["best earbuds for running", "best earbuds for commuting", "best crm for startups"])
                texts.AddRange([(await Configured.Scripted(name).AskAsync(Configured.Question(query))).Text, (await Configured.Scripted(name).AskAsync(Configured.Question(query, run: 2))).Text]);
        }
        texts.Where(text => text?.Length > 0).Distinct(StringComparer.Ordinal).Count().ShouldBeGreaterThanOrEqualTo(20);
    }

    [Fact]
    public async Task Should_refuse_fall_silent_and_be_cut_now_and_then()
    {
        var outcomes = await AllAsync(Queries);

        outcomes.ShouldAllBe(outcome => outcome.Class == OutcomeClass.Billed && outcome.Surface == Surfaces.Simulated && !outcome.Invalid);
        Share(outcome => outcome.State == CallStates.Refused).ShouldBeInRange(0.005, 0.04);
        Share(outcome => outcome.State == CallStates.Empty).ShouldBeInRange(0.002, 0.025);
        Share(outcome => outcome.Reason == CallReasons.CutByLength).ShouldBeInRange(0.003, 0.035);
        Share(outcome => outcome.State == CallStates.Answered).ShouldBeGreaterThan(0.93);

        double Share(Func<EngineOutcome, bool> which) => (double)outcomes.Count(which) / outcomes.Count;
    }

    [Theory]
    [InlineData("best chargers for travel")]
    [InlineData("best earbuds for working out")]
    public async Task Should_name_Anker_or_Soundcore_often_but_not_always(string query)
    {
        var outcomes = new List<EngineOutcome>();
        for (var run = 1; run <= 10; run++)
        {
            foreach (var name in (string[])["chatgpt", "claude", "gemini", "perplexity"])
                outcomes.Add(await Configured.Scripted(name).AskAsync(Configured.Question(query, run)));
        }
        var named = outcomes.Count(outcome => outcome.Text!.Contains("Anker", StringComparison.Ordinal) || outcome.Text.Contains("Soundcore", StringComparison.Ordinal));
        named.ShouldBeInRange(10, 39);
    }

    [Fact]
    public async Task Should_seldom_know_a_brand_that_does_not_exist()
    {
        var known = 0;
        foreach (var name in (string[])["chatgpt", "claude", "gemini", "perplexity", "one", "two", "three", "four"])
        {
            var outcome = await Configured.Scripted(name).AskAsync(Configured.Question("Is Zorvexa a good brand for earbuds?"));
            if (outcome.State == CallStates.Answered && !outcome.Text!.Contains("I couldn't find", StringComparison.Ordinal) && !outcome.Text.Contains("I'm not familiar", StringComparison.Ordinal))
                known++;
        }
        known.ShouldBeLessThanOrEqualTo(2);
    }

    [Theory]
    [InlineData("de-DE", " die ")]
    [InlineData("fr-FR", " le")]
    [InlineData("es-ES", " la")]
    public async Task Should_answer_in_the_language_asked(string locale, string word)
    {
        var outcome = await Configured.Scripted().AskAsync(Configured.Question("laptop", run: 2, locale: locale));
        outcome.Text!.ShouldContain(word);
    }

    [Fact]
    public async Task Should_plan_as_many_distinct_queries_as_asked()
    {
        var outcome = await AskAdvisorAsync(Purposes.Plan, """{"brand":{"name":"Anker","industry":"consumer electronics"},"competitors":[{"name":"Sony"},{"name":"JBL"}],"queryCount":60}""");

        using var plan = JsonDocument.Parse(outcome.Text!);
        var queries = plan.RootElement.GetProperty("queries").EnumerateArray().Select(query => query.GetProperty("text").GetString()!).ToList();
        queries.Count.ShouldBe(60);
        queries.Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(60);
        queries.Count(query => query.Contains("Anker", StringComparison.Ordinal)).ShouldBeLessThan(10);
        plan.RootElement.GetProperty("queries").EnumerateArray().Select(query => query.GetProperty("category").GetString()).Distinct().Count().ShouldBeGreaterThan(4);
    }

    [Theory]
    [InlineData("de-DE", "Was sind gute Alternativen zu Anker?")]
    [InlineData("fr-FR", "Quelles sont les bonnes alternatives à Anker ?")]
    [InlineData("es-ES", "¿Qué buenas alternativas hay a Anker?")]
    public async Task Should_plan_in_the_language_of_the_market(string locale, string expected)
    {
        var outcome = await AskAdvisorAsync(Purposes.Plan, $$"""{"brand":"Anker","industry":"Ladegeräte","competitors":["UGREEN"],"queryCount":40,"locale":"{{locale}}"}""");

        using var plan = JsonDocument.Parse(outcome.Text!);
        var queries = plan.RootElement.GetProperty("queries").EnumerateArray().Select(query => query.GetProperty("text").GetString()!).ToList();
        queries.Count.ShouldBe(40);
        queries.ShouldContain(expected);
    }

    [Fact]
    public async Task Should_plan_nothing_in_a_language_it_does_not_speak()
    {
        var outcome = await AskAdvisorAsync(Purposes.Plan, """{"brand":"Anker","industry":"chargers","queryCount":40,"locale":"ja-JP"}""");

        JsonDocument.Parse(outcome.Text!).RootElement.GetProperty("queries").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Should_rest_an_insight_on_the_given_answers_and_numbers_only()
    {
        var outcome = await AskAdvisorAsync(Purposes.Insight, """
            {"brand":"Anker","layer":1,"theme":"price","metrics":["visibility"],"scores":{"averagePosition":{"value":2.5},"visibility":{"value":0.4321,"low":0.1,"high":0.6},"mrr":{"value":null}},
             "engines":{"chatgpt":{"visibility":{"value":0.5}},"claude":{"visibility":{"value":0.3}}},
             "answers":[{"callKey":"k1","query":"best earbuds","engine":"chatgpt","excerpt":"Anker is fine","mentions":[{"brand":"Anker"}]},
                        {"callKey":"k2","query":"best chargers","engine":"claude","excerpt":"UGREEN","mentions":[]}]}
            """);

        using var insight = JsonDocument.Parse(outcome.Text!);
        insight.RootElement.GetProperty("title").GetString().ShouldNotBeNullOrWhiteSpace();
        insight.RootElement.GetProperty("text").GetString()!.ShouldContain("Visibility is 43.2 % (95 % interval 10 % to 60 %). Average position is 2.5. By visibility, chatgpt is ahead and claude behind.");
        insight.RootElement.GetProperty("evidence").EnumerateArray().Select(key => key.GetString()).ShouldBe(["k1", "k2"]);
        var recommendation = insight.RootElement.GetProperty("recommendations").EnumerateArray().ShouldHaveSingleItem();
        recommendation.GetProperty("query").GetString().ShouldBe("best chargers");
        recommendation.GetProperty("metric").GetString().ShouldBe("visibility");
        recommendation.GetProperty("evidence").EnumerateArray().Select(key => key.GetString()).ShouldBe(["k2"]);
    }

    [Fact]
    public async Task Should_write_an_object_also_without_a_readable_block()
    {
        foreach (var block in (string[])["", "{", "[1]", """{"answers":[1,null,{"callKey":7}],"brand":5,"scores":[]}"""])
        {
            var outcome = await AskAdvisorAsync(Purposes.Insight, block);
            JsonDocument.Parse(outcome.Text!).RootElement.ValueKind.ShouldBe(JsonValueKind.Object);
        }
    }

    [Fact]
    public async Task Should_cut_an_answer_at_the_output_limit_and_never_bill_more_than_the_worst_case()
    {
        var engine = Configured.Catalog(("paid:Kind", "scripted"), ("paid:MaxOutputTokens", "64"), ("paid:InputUsdPerMTok", "2"), ("paid:OutputUsdPerMTok", "8")).Find("paid")!;
        var rendered = engine.Engine.Render(Configured.Question("best earbuds for running"));

        var outcome = await engine.Engine.AskAsync(rendered, "key", CancellationToken.None);

        outcome.Reason.ShouldBe(CallReasons.CutByLength);
        engine.SettleMicroUsd(rendered, outcome).ShouldBeInRange(1, engine.WorstCaseMicroUsd(rendered));
    }

    static Task<EngineOutcome> AskAdvisorAsync(string purpose, string block) => Configured.Scripted("advisor").AskAsync(new EngineRequest
    {
        System = "You advise brands.",
        Text = $"Answer in JSON.\n<<<assay-input\n{block}\nassay-input>>>\n",
        Purpose = purpose,
        Json = true,
    });

    static async Task<IReadOnlyList<EngineOutcome>> AllAsync(IEnumerable<string> queries)
    {
        var engine = Configured.Scripted();
        var outcomes = new List<EngineOutcome>();
        foreach (var query in queries)
        {
            for (var run = 1; run <= 4; run++)
                outcomes.Add(await engine.AskAsync(Configured.Question(query, run)));
        }
        return outcomes;
    }
}
