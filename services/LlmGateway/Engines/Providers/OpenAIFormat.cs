using System.ClientModel;
using System.ClientModel.Primitives;
using System.Globalization;
using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;
using OpenAI;
using OpenAI.Chat;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>OpenAI's Chat Completions through the official SDK, and every provider that speaks it: Perplexity, OpenRouter, Ollama, vLLM.</summary>
internal sealed class OpenAIFormat : IProviderFormat
{
    readonly string model;
    readonly bool search;
    readonly double? temperature;
    readonly string limitName;
    readonly bool alwaysTellsSearch;
    readonly ChatClient client;

    public OpenAIFormat(HttpMessageHandler wire, Uri endpoint, string model, string? apiKey, bool search, double? temperature)
    {
        (this.model, this.search, this.temperature) = (model, search, temperature);
        alwaysTellsSearch = IsOpenAI(endpoint);
        // OpenAI's newer models refuse max_tokens; others know nothing else.
        limitName = alwaysTellsSearch ? "max_completion_tokens" : "max_tokens";
        client = new ChatClient(model, new ApiKeyCredential(apiKey ?? "none"), new OpenAIClientOptions
        {
            Endpoint = endpoint,
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
            Transport = new HttpClientPipelineTransport(new HttpClient(wire) { Timeout = Timeout.InfiniteTimeSpan }),
        });
    }

    /// <summary>The address the SDK appends <c>/chat/completions</c> to, from a base address with or without its version.</summary>
    public static Uri Endpoint(Uri baseAddress)
    {
        var path = baseAddress.AbsolutePath.TrimEnd('/');
        if (path.EndsWith("/chat/completions", StringComparison.OrdinalIgnoreCase))
            path = path[..^"/chat/completions".Length];
        // Perplexity's address has no version.
        var versioned = path.Split('/').Any(part => part.Length >= 2 && part[0] is 'v' && char.IsAsciiDigit(part[1])) || IsPerplexity(baseAddress);
        return new UriBuilder(baseAddress) { Path = versioned ? path : path + "/v1" }.Uri;
    }

    public ReadOnlyMemory<byte> Body(EngineRequest request, int maxOutputTokens) => Rendering.Body(json =>
    {
        json.WriteString("model", model);
        json.WriteStartArray("messages");
        if (!string.IsNullOrEmpty(request.System))
            Message(json, "system", request.System);
        Message(json, "user", request.Text);
        json.WriteEndArray();
        json.WriteNumber(limitName, maxOutputTokens);
        if (temperature is { } degree)
            json.WriteNumber("temperature", degree);
        if (request.Json)
        {
            json.WriteStartObject("response_format");
            json.WriteString("type", "json_object");
            json.WriteEndObject();
        }
        if (search && request.Purpose == Purposes.Answer)
        {
            json.WriteStartObject("web_search_options");
            json.WriteEndObject();
        }
    });

    static void Message(Utf8JsonWriter json, string role, string content)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", content);
        json.WriteEndObject();
    }

    public async Task SendAsync(ReadOnlyMemory<byte> body, CancellationToken ct)
    {
        using var content = BinaryContent.Create(BinaryData.FromBytes(body));
        var result = await client.CompleteChatAsync(content, new RequestOptions { CancellationToken = ct, ErrorOptions = ClientErrorBehaviors.NoThrow, BufferResponse = false });
        result.GetRawResponse().Dispose();
    }

    public ProviderAnswer? Read(JsonElement body)
    {
        var choice = body.First("choices");
        var message = choice.Get("message");
        if (message.ValueKind != JsonValueKind.Object)
            return null;
        var text = ContentOf(message);
        var refusal = message.Text("refusal");
        var finish = choice.Text("finish_reason");
        var usage = body.Get("usage");
        var sources = Sources(body, message, text ?? "");
        var searched = message.Each("annotations").Any() || sources.Count > 0 ? true : alwaysTellsSearch && !search && !model.Contains("search", StringComparison.OrdinalIgnoreCase) ? false : (bool?)null;
        var refused = !string.IsNullOrWhiteSpace(refusal) || finish == "content_filter";
        return new ProviderAnswer
        {
            Text = SafeText.Clean((string.IsNullOrEmpty(text) ? refusal : text) ?? ""),
            Refused = refused,
            RefusalWord = refused ? finish == "content_filter" ? finish : "refusal" : null,
            CutByLength = finish == "length",
            Sources = sources.Sources,
            SearchUsed = searched,
            ServedModel = SafeText.Short(body.Text("model")),
            InputTokens = usage.Count("prompt_tokens"),
            OutputTokens = usage.Count("completion_tokens"),
            CacheHit = usage.Get("prompt_tokens_details").Count("cached_tokens") > 0,
        };
    }

    public string? ErrorWord(JsonElement body) => body.Get("error").Text("code") ?? body.Get("error").Text("type");

    /// <summary>Text, or the text parts that some compatible servers send instead.</summary>
    static string? ContentOf(JsonElement message) => message.Get("content").ValueKind switch
    {
        JsonValueKind.String => message.Text("content"),
        JsonValueKind.Array => string.Concat(message.Each("content").Select(part => part.Text("text"))),
        _ => null,
    };

    static SourceList Sources(JsonElement body, JsonElement message, string text)
    {
        var sources = new SourceList();
        foreach (var annotation in message.Each("annotations"))
        {
            var citation = annotation.Get("url_citation");
            sources.Add(citation.Text("url"), citation.Text("title"), cited: true);
        }
        // Perplexity numbers its citations from 1 and refers to them as [n].
        var number = 0;
        foreach (var citation in body.Each("citations"))
        {
            number++;
            if (citation.ValueKind == JsonValueKind.String)
                sources.Add(JsonReading.Unescaped(citation), title: null, cited: text.Contains(string.Create(CultureInfo.InvariantCulture, $"[{number}]"), StringComparison.Ordinal));
        }
        foreach (var result in body.Each("search_results"))
            sources.Add(result.Text("url"), result.Text("title"), cited: number > 0 ? false : null);
        return sources;
    }

    static bool IsOpenAI(Uri address) => address.IdnHost.EndsWith("api.openai.com", StringComparison.OrdinalIgnoreCase);

    static bool IsPerplexity(Uri address) => address.IdnHost.EndsWith("api.perplexity.ai", StringComparison.OrdinalIgnoreCase);
}
