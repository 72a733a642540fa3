using System.Globalization;
using System.Text.Json;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.TestServers;
using MassTransit.Serialization;

namespace Assay.LlmGateway.Tests.Engines;

public class When_the_longest_answers_meet_in_a_batch
{
    static readonly string Url = "https://example.org/" + new string('&', 2000);

    public static TheoryData<string, string> Texts => new()
    {
        { "plain", "x" },
        { "quoted", "\"" },
        { "control", "\u0001" },
        { "Chinese", "好" },
        { "pictures", "🎧" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Should_stay_below_what_the_broker_takes(string name, string text)
    {
        var sources = Enumerable.Range(0, 200).Select(n => new AnswerSource { Url = Url + n.ToString(CultureInfo.InvariantCulture), Title = new string('"', 500), Cited = true }).ToList();
        var query = string.Concat(Enumerable.Repeat(text, AuditRequestRules.MaxQueryLength / text.Length));
        foreach (var (purpose, count, asked) in new[] { (Purposes.Answer, BatchBounds.MaxQuestions, query), (Purposes.Judge, BatchBounds.MaxJudged, string.Concat(Enumerable.Repeat(query, 4))) })
        {
            var outcome = AnswerBounds.Apply(Outcome(string.Concat(Enumerable.Repeat(text, 4 << 20)), sources), purpose);
            var batch = new EngineAnswered
            {
                AuditId = Guid.NewGuid(), Attempt = 1, BatchId = Guid.NewGuid(), Purpose = purpose, Engine = "chatgpt", EngineKind = EngineKinds.OpenAI, Simulated = false,
                Answers = [.. Enumerable.Range(0, count).Select(n => Answer(n, asked, outcome))],
            };

            JsonSerializer.SerializeToUtf8Bytes(batch, SystemTextJsonMessageSerializer.Options).LongLength.ShouldBeLessThan(BrokerLimit(), $"{name}, {purpose}");
            (outcome.State, outcome.Reason).ShouldBe((CallStates.Answered, CallReasons.CutByLength));
            outcome.Text!.Length.ShouldBeGreaterThan(purpose == Purposes.Judge ? 7_000 : 60_000, "most of the room is the text's");
            outcome.Sources.Count.ShouldBeInRange(1, 199);
        }
    }

    [Fact]
    public void Should_leave_what_fits_as_it_is()
    {
        var outcome = Outcome(new string('好', 60_000), [new AnswerSource { Url = Url }]);

        AnswerBounds.Apply(outcome, Purposes.Answer).ShouldBeSameAs(outcome);
    }

    [Fact]
    public async Task Should_bill_and_flag_an_answer_of_a_provider_that_is_cut()
    {
        var text = string.Concat(Enumerable.Repeat("Anker and ", 100_000));
        await using var provider = new RawProvider($$"""{"choices":[{"message":{"content":"{{text}}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":190000} }""");
        var engine = Configured.Catalog(
        [
            ("raw:Kind", "openai"), ("raw:BaseUrl", provider.BaseUrl), ("raw:Model", "m"), ("raw:InputUsdPerMTok", "2"), ("raw:OutputUsdPerMTok", "8"), ("raw:MaxOutputTokens", "200000"),
        ]).Find("raw")!;
        var question = Configured.Question("best earbuds");

        var outcome = await Configured.AskWarmAsync(engine, question, () => provider.Requests.Count > 0);

        (outcome.Class, outcome.State, outcome.Reason, outcome.OutputTokens).ShouldBe((OutcomeClass.Billed, CallStates.Answered, CallReasons.CutByLength, 190_000));
        outcome.Text.ShouldBe(text[..BatchBounds.MaxAnswerBytes(Purposes.Answer)]);
        engine.SettleMicroUsd(engine.Engine.Render(question), outcome).ShouldBe(1_520_006);
    }

    static EngineOutcome Outcome(string text, IReadOnlyList<AnswerSource> sources) =>
        new() { Class = OutcomeClass.Billed, State = CallStates.Answered, Surface = Surfaces.Api, Text = text, Sources = sources };

    static EngineAnswer Answer(int number, string query, EngineOutcome outcome) => new()
    {
        CallKey = new string('k', 200), QuestionId = number.ToString(CultureInfo.InvariantCulture), Query = query, Run = 1, State = outcome.State, Reason = outcome.Reason, Text = outcome.Text,
        TextHash = new string('0', 64), Sources = outcome.Sources, RequestedModel = "m", ServedModel = new string('m', 200), Surface = outcome.Surface, CostMicroUsd = 1, PaidTries = 1,
    };

    static long BrokerLimit()
    {
        const string setting = "max_message_size = ";
        var line = File.ReadLines(Path.Combine(SharedFolder.RepositoryRoot, "deploy", "rabbitmq", "rabbitmq.conf")).Single(line => line.StartsWith(setting, StringComparison.Ordinal));
        return long.Parse(line[setting.Length..], CultureInfo.InvariantCulture);
    }
}
