using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Tests.Engines;

public sealed class When_recorded_answers_are_played : IDisposable
{
    readonly string path = Path.Combine(Path.GetTempPath(), $"recorded-{Guid.NewGuid():N}.jsonl");

    public void Dispose() => File.Delete(path);

    const string Lines = """
        {"query":"Best earbuds?","engine":"web-b","model":"B","run":1,"answer":"b1","sources":[]}
        {"query":"best earbuds?","engine":"web-a","model":"A","run":2,"answer":"a2 **verbatim**\n","sources":[{"url":"https://example.org/x","title":"X"},{"url":"not a url"}]}
        {"query":" best earbuds? ","engine":"web-a","model":"A","run":1,"answer":"a1"}

        {"query":"silence","engine":"web-a","run":1,"answer":""}
        """;

    [Fact]
    public async Task Should_play_the_nth_run_ordered_by_engine_and_run()
    {
        var engine = await EngineAsync(model: null);

        var texts = new List<string?>();
        for (var run = 1; run <= 3; run++)
            texts.Add((await engine.AskAsync(Configured.Question("BEST EARBUDS? ", run))).Text);

        texts.ShouldBe(["a1", "a2 **verbatim**\n", "b1"]);
    }

    [Fact]
    public async Task Should_play_one_engine_of_the_file_only_when_the_model_names_it()
    {
        var engine = await EngineAsync(model: "web-b");

        var outcome = await engine.AskAsync(Configured.Question("best earbuds?"));

        outcome.Text.ShouldBe("b1");
        outcome.ServedModel.ShouldBe("B");
        (await engine.AskAsync(Configured.Question("best earbuds?", run: 2))).Reason.ShouldBe(CallReasons.NotRecorded);
    }

    [Fact]
    public async Task Should_keep_the_sources_and_say_where_the_answer_is_from()
    {
        var engine = await EngineAsync(model: "web-a");

        var outcome = await engine.AskAsync(Configured.Question("best earbuds?", run: 2));

        outcome.State.ShouldBe(CallStates.Answered);
        outcome.Surface.ShouldBe("recorded web answer");
        outcome.Sources.ShouldHaveSingleItem().ShouldBe(new AnswerSource { Url = "https://example.org/x", Title = "X" });
        outcome.SearchUsed.ShouldBe(true);
    }

    [Fact]
    public async Task Should_decline_free_what_was_not_recorded()
    {
        var outcome = await (await EngineAsync(model: null)).AskAsync(Configured.Question("unheard of"));

        (outcome.Class, outcome.State, outcome.Reason, outcome.Retryable).ShouldBe((OutcomeClass.NotBilled, CallStates.Declined, CallReasons.NotRecorded, false));
    }

    [Fact]
    public async Task Should_call_a_recorded_silence_empty()
    {
        var outcome = await (await EngineAsync(model: null)).AskAsync(Configured.Question("silence"));

        (outcome.State, outcome.Reason).ShouldBe((CallStates.Empty, CallReasons.EmptyAnswer));
    }

    [Theory]
    [InlineData("{\"query\":\"q\",\"answer\":\"a\"}\n{\"query\":", "line 2")]
    [InlineData("{\"answer\":\"a\"}", "line 1: \"query\" is missing")]
    [InlineData("{\"query\":\"q\"}", "line 1: \"answer\" is missing")]
    [InlineData("[]", "line 1")]
    [InlineData("\n\n", "hold no line")]
    public async Task Should_say_which_line_of_a_bad_file_is_wrong(string content, string expected)
    {
        await File.WriteAllTextAsync(path, content);
        var engine = Configured.Catalog(("recorded:Kind", "replay"), ("recorded:Path", path)).Find("recorded")!;

        var outcome = await engine.AskAsync(Configured.Question("q"));

        (outcome.Class, outcome.State, outcome.Retryable).ShouldBe((OutcomeClass.NotBilled, CallStates.Declined, false));
        outcome.Reason!.ShouldContain(path);
        outcome.Reason!.ShouldContain(expected);
    }

    [Fact]
    public async Task Should_name_the_engines_of_the_file_when_the_model_is_none_of_them()
    {
        var outcome = await (await EngineAsync(model: "web-c")).AskAsync(Configured.Question("best earbuds?"));

        outcome.Reason!.ShouldContain("web-a, web-b");
    }

    async Task<EngineDefinition> EngineAsync(string? model)
    {
        await File.WriteAllTextAsync(path, Lines);
        return Configured.Catalog(("recorded:Kind", "replay"), ("recorded:Path", path), ("recorded:Model", model)).Find("recorded")!;
    }
}
