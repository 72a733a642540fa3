using System.Text;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Tests.Engines;

public class When_a_provider_is_hostile
{
    [Fact]
    public async Task Should_stop_reading_a_body_without_end()
    {
        var megabyte = Encoding.ASCII.GetBytes(new string(' ', 1 << 20));
        await using var provider = new RawProvider(async (stream, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"u8.ToArray(), ct);
            for (var sent = 0; sent < 4096; sent++)
                await stream.WriteAsync(megabyte, ct);
        });
        var before = GC.GetTotalAllocatedBytes(precise: false);

        var outcome = await AskAsync(provider);

        (outcome.Class, outcome.State, outcome.Reason, outcome.Invalid).ShouldBe((OutcomeClass.Billed, CallStates.Empty, CallReasons.UnreadableAnswer, true));
        (GC.GetTotalAllocatedBytes(precise: false) - before).ShouldBeLessThan(100L << 20);
    }

    [Fact]
    public async Task Should_cut_a_text_far_beyond_the_limit_that_was_sent()
    {
        await using var provider = new RawProvider($$"""{"choices":[{"message":{"content":"{{new string('x', 1_000_000)}}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":250000} }""");

        var outcome = await AskAsync(provider);

        (outcome.State, outcome.Reason, outcome.Text!.Length, outcome.OutputTokens).ShouldBe((CallStates.Answered, CallReasons.CutByLength, 65_536, 250_000));
    }

    [Fact]
    public async Task Should_give_up_on_a_body_that_drips()
    {
        await using var provider = new RawProvider(async (stream, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"u8.ToArray(), ct);
            while (true)
            {
                await stream.WriteAsync(" "u8.ToArray(), ct);
                await Task.Delay(20, ct);
            }
        });

        var outcome = await AskAsync(provider, ("Timeout", "00:00:02"));

        (outcome.Class, outcome.State, outcome.Reason).ShouldBe((OutcomeClass.Unknown, CallStates.InDoubt, CallReasons.Timeout));
    }

    [Fact]
    public async Task Should_keep_a_paid_answer_with_bytes_that_are_not_text()
    {
        byte[] body = [.. """{"model":"m","choices":[{"message":{"content":"Anker """u8, 0xff, 0xfe, .. """ is good"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"""u8];
        await using var provider = new RawProvider(body);

        var outcome = await AskAsync(provider);

        outcome.State.ShouldBe(CallStates.Answered);
        outcome.Text!.ShouldStartWith("Anker \uFFFD");
        outcome.Text!.ShouldEndWith(" is good");
    }

    [Fact]
    public async Task Should_replace_what_no_database_stores()
    {
        await using var provider = new RawProvider("""{"model":"m\u0000","choices":[{"message":{"content":"a\u0000b\ud800c\"\n\ud83d\ude00"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}""");

        var outcome = await AskAsync(provider);

        outcome.Text.ShouldBe("a\uFFFDb\uFFFDc\"\n😀");
        outcome.ServedModel.ShouldBe("m\uFFFD");
    }

    [Theory]
    [InlineData("deep")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("""{"error":{"message":"no","code":502}}""")]
    [InlineData("""{"choices":[]}""")]
    [InlineData("""{"choices":[null]}""")]
    [InlineData("""{"choices":{"message":1}}""")]
    [InlineData("""{"choices":[{"message":"text"}]}""")]
    [InlineData("<html>Sign in</html>")]
    public async Task Should_call_unreadable_what_is_no_answer(string body)
    {
        await using var provider = new RawProvider(body == "deep" ? string.Concat(Enumerable.Repeat("""{"choices":""", 100_000)) : body);

        var outcome = await AskAsync(provider);

        (outcome.Class, outcome.State, outcome.Reason, outcome.Invalid).ShouldBe((OutcomeClass.Billed, CallStates.Empty, CallReasons.UnreadableAnswer, true));
    }

    [Theory]
    [InlineData("""{"prompt_tokens":-5,"completion_tokens":4}""")]
    [InlineData("""{"prompt_tokens":1e99,"completion_tokens":4}""")]
    [InlineData("""{"prompt_tokens":"3","completion_tokens":4}""")]
    [InlineData("""{"prompt_tokens":99999999999,"completion_tokens":4}""")]
    [InlineData("[]")]
    public async Task Should_settle_at_the_worst_case_when_the_counts_make_no_sense(string usage)
    {
        await using var provider = new RawProvider($$"""{"choices":[{"message":{"content":"Anker"},"finish_reason":"stop"}],"usage":{{usage}}}""");
        var engine = Engine(provider);
        var rendered = engine.Engine.Render(Configured.Question("q"));

        var outcome = await Configured.AskWarmAsync(engine, rendered.Request, () => provider.Requests.Count > 0);

        outcome.State.ShouldBe(CallStates.Answered);
        engine.SettleMicroUsd(rendered, outcome).ShouldBe(engine.WorstCaseMicroUsd(rendered));
    }

    [Fact]
    public async Task Should_bound_the_sources_and_keep_only_web_addresses()
    {
        var citations = string.Join(',', Enumerable.Range(0, 5000).Select(n => $"\"https://example.org/{n}\"").Prepend("\"javascript:alert(1)\"").Prepend("7").Prepend($"\"https://example.org/{new string('x', 5000)}\""));
        await using var provider = new RawProvider($$"""{"choices":[{"message":{"content":"Anker"},"finish_reason":"stop"}],"citations":[{{citations}}]}""");

        var outcome = await AskAsync(provider);

        outcome.Sources.Count.ShouldBe(200);
        outcome.Sources.ShouldAllBe(source => source.Url.StartsWith("https://example.org/", StringComparison.Ordinal) && source.Url.Length < 2048);
    }

    [Fact]
    public async Task Should_not_follow_a_redirect_with_a_paid_request()
    {
        await using var elsewhere = new RawProvider("{}");
        await using var provider = new RawProvider((stream, ct) => RawProvider.RespondAsync(stream, default, 307, ct, $"Location: {elsewhere.BaseUrl}\r\n"));

        var outcome = await AskAsync(provider);

        (outcome.Class, outcome.Retryable, outcome.HttpStatus).ShouldBe((OutcomeClass.NotBilled, false, 307));
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Retry-After: 7\r\n", 7.0)]
    [InlineData("Retry-After: 0.5\r\n", 0.5)]
    [InlineData("retry-after-ms: 250\r\nRetry-After: 1\r\n", 0.25)]
    [InlineData("Retry-After: 99999999999999\r\n", 86400.0)]
    [InlineData("Retry-After: -1\r\n", null)]
    [InlineData("Retry-After: soon\r\n", null)]
    public async Task Should_read_how_long_to_wait_with_a_bound(string headers, double? seconds)
    {
        await using var provider = new RawProvider((stream, ct) => RawProvider.RespondAsync(stream, "{}"u8.ToArray(), 429, ct, headers));

        var outcome = await AskAsync(provider);

        outcome.RetryAfter.ShouldBe(seconds is { } wait ? TimeSpan.FromSeconds(wait) : null);
    }

    [Fact]
    public async Task Should_not_try_again_when_the_account_has_no_money()
    {
        await using var provider = new RawProvider("""{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}""", 429);

        var outcome = await AskAsync(provider);

        (outcome.Class, outcome.Retryable).ShouldBe((OutcomeClass.NotBilled, false));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")]
    [InlineData("HTTP/9.9 what\r\n\r\n")]
    [InlineData("\0\0\0\0")]
    [InlineData("")]
    public async Task Should_be_in_doubt_when_the_answer_is_no_HTTP(string bytes)
    {
        await using var provider = new RawProvider(async (stream, ct) => await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), ct));

        var outcome = await AskAsync(provider);

        (outcome.Class, outcome.State).ShouldBe((OutcomeClass.Unknown, CallStates.InDoubt));
        provider.Requests.Count.ShouldBe(1);
    }

    static EngineDefinition Engine(RawProvider provider, params (string Setting, string Value)[] more) => Configured.Catalog(
    [
        ("raw:Kind", "openai"), ("raw:BaseUrl", provider.BaseUrl), ("raw:Model", "m"), ("raw:InputUsdPerMTok", "2"), ("raw:OutputUsdPerMTok", "8"),
        .. more.Select(pair => ("raw:" + pair.Setting, (string?)pair.Value)),
    ]).Find("raw")!;

    static Task<EngineOutcome> AskAsync(RawProvider provider, params (string Setting, string Value)[] more) =>
        Configured.AskWarmAsync(Engine(provider, more), Configured.Question("best earbuds"), () => provider.Requests.Count > 0);
}
