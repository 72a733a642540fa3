using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Tests.Engines;

public class When_a_provider_returns_more_than_text
{
    [Fact]
    public async Task Should_tell_cited_from_retrieved_sources_of_Perplexity()
    {
        var outcome = await AskAsync(EngineKinds.OpenAI, """
            {"model":"sonar","choices":[{"message":{"role":"assistant","content":"Anker is good [1][3]."},"finish_reason":"stop"}],
             "citations":["https://a.example/1","https://b.example/2","https://c.example/3"],
             "search_results":[{"title":"A","url":"https://a.example/1"},{"title":"D","url":"https://d.example/4"}],
             "usage":{"prompt_tokens":9,"completion_tokens":8}}
            """);

        outcome.SearchUsed.ShouldBe(true);
        outcome.Sources.ShouldBe(
        [
            new AnswerSource { Url = "https://a.example/1", Title = "A", Cited = true },
            new AnswerSource { Url = "https://b.example/2", Cited = false },
            new AnswerSource { Url = "https://c.example/3", Cited = true },
            new AnswerSource { Url = "https://d.example/4", Title = "D", Cited = false },
        ]);
    }

    [Fact]
    public async Task Should_keep_annotations_cache_hits_and_the_served_model()
    {
        var outcome = await AskAsync(EngineKinds.OpenAI, """
            {"model":"gpt-x-2025-08-01","choices":[{"message":{"content":"Anker","annotations":[{"type":"url_citation","url_citation":{"url":"https://a.example/","title":"A","start_index":0,"end_index":5}}]},"finish_reason":"stop"}],
             "usage":{"prompt_tokens":2000,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":1024}}}
            """);

        outcome.Sources.ShouldBe([new AnswerSource { Url = "https://a.example/", Title = "A", Cited = true }]);
        (outcome.CacheHit, outcome.ServedModel, outcome.InputTokens, outcome.OutputTokens, outcome.SearchUsed).ShouldBe((true, "gpt-x-2025-08-01", 2000, 8, true));
    }

    [Theory]
    [InlineData("""{"choices":[{"message":{"content":null,"refusal":"I can't help."},"finish_reason":"stop"}]}""", "refusal", "I can't help.")]
    [InlineData("""{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}""", "content_filter", "")]
    public async Task Should_call_a_refusal_of_OpenAI_a_refusal(string body, string reason, string text)
    {
        var outcome = await AskAsync(EngineKinds.OpenAI, body);

        (outcome.Class, outcome.State, outcome.Reason, outcome.Text).ShouldBe((OutcomeClass.Billed, CallStates.Refused, reason, text));
    }

    [Fact]
    public async Task Should_join_text_parts_of_a_compatible_server()
    {
        var outcome = await AskAsync(EngineKinds.OpenAI, """{"choices":[{"message":{"content":[{"type":"text","text":"An"},{"type":"text","text":"ker"}]},"finish_reason":"stop"}]}""");

        outcome.Text.ShouldBe("Anker");
    }

    [Fact]
    public async Task Should_read_text_citations_and_search_of_Anthropic()
    {
        var outcome = await AskAsync(EngineKinds.Anthropic, """
            {"id":"m","type":"message","role":"assistant","model":"claude-x","stop_reason":"end_turn","stop_sequence":null,
             "content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},
                        {"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"https://a.example/","title":"A","encrypted_content":"x"},{"type":"web_search_result","url":"https://b.example/","title":"B","encrypted_content":"x"}]},
                        {"type":"text","text":"Anker ","citations":[{"type":"web_search_result_location","url":"https://b.example/","title":"B","encrypted_index":"x","cited_text":"t"}]},{"type":"text","text":"leads."}],
             "usage":{"input_tokens":10,"cache_creation_input_tokens":1,"cache_read_input_tokens":5,"output_tokens":7,"server_tool_use":{"web_search_requests":1}}}
            """);

        outcome.Text.ShouldBe("Anker leads.");
        outcome.Sources.ShouldBe([new AnswerSource { Url = "https://b.example/", Title = "B", Cited = true }, new AnswerSource { Url = "https://a.example/", Title = "A", Cited = false }]);
        (outcome.SearchUsed, outcome.InputTokens, outcome.OutputTokens, outcome.CacheHit, outcome.ServedModel).ShouldBe((true, 16, 7, true, "claude-x"));
    }

    [Fact]
    public async Task Should_call_a_refusal_of_Anthropic_a_refusal()
    {
        var outcome = await AskAsync(EngineKinds.Anthropic, """{"id":"m","type":"message","role":"assistant","model":"claude-x","stop_reason":"refusal","content":[],"usage":{"input_tokens":10,"output_tokens":0}}""");

        (outcome.State, outcome.Reason).ShouldBe((CallStates.Refused, "refusal"));
    }

    [Fact]
    public async Task Should_read_thoughts_grounding_and_counts_of_Gemini()
    {
        var outcome = await AskAsync(EngineKinds.Gemini, """
            {"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"Anker "},{"text":"leads."}]},"finishReason":"STOP",
              "groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"https://a.example/","title":"A"}},{"web":{"uri":"https://b.example/","title":"B"}}],"groundingSupports":[{"groundingChunkIndices":[1]}]}}],
             "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":20,"totalTokenCount":35},"modelVersion":"gemini-x-001"}
            """);

        outcome.Text.ShouldBe("Anker leads.");
        outcome.Sources.ShouldBe([new AnswerSource { Url = "https://a.example/", Title = "A", Cited = false }, new AnswerSource { Url = "https://b.example/", Title = "B", Cited = true }]);
        (outcome.SearchUsed, outcome.InputTokens, outcome.OutputTokens, outcome.ServedModel).ShouldBe((true, 10, 25, "gemini-x-001"));
    }

    [Theory]
    [InlineData("""{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10}}""", "PROHIBITED_CONTENT")]
    [InlineData("""{"candidates":[{"finishReason":"SAFETY"}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10}}""", "SAFETY")]
    public async Task Should_call_what_Gemini_blocks_a_refusal(string body, string reason)
    {
        var outcome = await AskAsync(EngineKinds.Gemini, body);

        (outcome.State, outcome.Reason, outcome.InputTokens, outcome.OutputTokens).ShouldBe((CallStates.Refused, reason, 10, 0));
    }

    [Theory]
    [InlineData(EngineKinds.OpenAI, "POST /v1/chat/completions ", "authorization: bearer planted-key")]
    [InlineData(EngineKinds.Anthropic, "POST /v1/messages ", "authorization: bearer planted-key")]
    [InlineData(EngineKinds.Gemini, "POST /v1beta/models/m-1:generateContent ", "x-goog-api-key: planted-key")]
    public async Task Should_send_exactly_what_was_priced_with_key_and_idempotency_key(string kind, string line, string credential)
    {
        await using var provider = new RawProvider("{}");
        var engine = Engine(kind, provider);
        var request = new EngineRequest { System = "Be brief.", Text = "Café? \"ja\"", Purpose = Purposes.Insight, Json = true, MaxOutputTokens = 77 };
        var rendered = engine.Engine.Render(request);

        await Configured.AskWarmAsync(engine, request, () => provider.Requests.Count > 0, key: "assay-42.2");

        var sent = provider.Requests.ShouldHaveSingleItem();
        sent.ShouldStartWith(line);
        sent.ToLowerInvariant().ShouldContain(credential);
        sent.ToLowerInvariant().ShouldContain("idempotency-key: assay-42.2\r\n");
        var body = sent[(sent.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        body.Length.ShouldBeLessThanOrEqualTo(rendered.InputBytes + 16, "the bound on input tokens rests on these bytes");
        using var json = JsonDocument.Parse(System.Text.Encoding.Latin1.GetBytes(body));
        json.RootElement.GetRawText().ShouldContain("77");
        json.RootElement.GetRawText().ShouldContain("Be brief.");
        rendered.MaxOutputTokens.ShouldBe(77);
    }

    [Fact]
    public void Should_hash_what_is_sent_and_nothing_else()
    {
        var engine = Configured.Catalog(("e:Kind", "openai"), ("e:BaseUrl", "http://127.0.0.1:1"), ("e:Model", "m"), ("e:InputUsdPerMTok", "0"), ("e:OutputUsdPerMTok", "0")).Find("e")!.Engine;
        var question = Configured.Question("best earbuds");
        var hash = engine.Render(question).Hash;

        engine.Render(question with { Run = 2 }).Hash.ShouldBe(hash);
        engine.Render(question with { Text = "best earbuds?" }).Hash.ShouldNotBe(hash);
        engine.Render(question with { System = "s" }).Hash.ShouldNotBe(hash);
        engine.Render(question with { Json = true }).Hash.ShouldNotBe(hash);
        engine.Render(question with { MaxOutputTokens = 100 }).Hash.ShouldNotBe(hash);
        hash.ShouldMatch("^[0-9a-f]{64}$");
    }

    static EngineDefinition Engine(string kind, RawProvider provider) => Configured.Catalog(("e:Kind", kind), ("e:BaseUrl", provider.BaseUrl.Replace("/v1", kind == EngineKinds.OpenAI ? "/v1" : "", StringComparison.Ordinal)),
        ("e:Model", "m-1"), ("e:ApiKey", "planted-key"), ("e:InputUsdPerMTok", "2"), ("e:OutputUsdPerMTok", "8")).Find("e")!;

    static async Task<EngineOutcome> AskAsync(string kind, string body)
    {
        await using var provider = new RawProvider(body);
        return await Configured.AskWarmAsync(Engine(kind, provider), Configured.Question("best earbuds"), () => provider.Requests.Count > 0);
    }
}
