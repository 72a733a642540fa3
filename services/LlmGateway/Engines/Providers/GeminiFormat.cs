using System.Net.Http.Headers;
using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>Gemini's generateContent over REST.</summary>
internal sealed class GeminiFormat : IProviderFormat
{
    static readonly HashSet<string> Refusals = new(StringComparer.Ordinal) { "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY" };

    readonly Uri address;
    readonly string? apiKey;
    readonly bool search;
    readonly double? temperature;
    readonly HttpClient client;

    public GeminiFormat(HttpMessageHandler wire, Uri baseAddress, string model, string? apiKey, bool search, double? temperature)
    {
        (this.apiKey, this.search, this.temperature) = (apiKey, search, temperature);
        address = new UriBuilder(baseAddress) { Path = $"{BasePath(baseAddress)}/v1beta/models/{Uri.EscapeDataString(model)}:generateContent" }.Uri;
        client = new HttpClient(wire) { Timeout = Timeout.InfiniteTimeSpan };
    }

    static string BasePath(Uri address)
    {
        var path = address.AbsolutePath.TrimEnd('/');
        return path.EndsWith("/v1beta", StringComparison.OrdinalIgnoreCase) ? path[..^"/v1beta".Length] : path;
    }

    public ReadOnlyMemory<byte> Body(EngineRequest request, int maxOutputTokens) => Rendering.Body(json =>
    {
        if (!string.IsNullOrEmpty(request.System))
        {
            json.WriteStartObject("systemInstruction");
            Parts(json, request.System);
            json.WriteEndObject();
        }
        json.WriteStartArray("contents");
        json.WriteStartObject();
        json.WriteString("role", "user");
        Parts(json, request.Text);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("generationConfig");
        json.WriteNumber("maxOutputTokens", maxOutputTokens);
        if (temperature is { } degree)
            json.WriteNumber("temperature", degree);
        if (request.Json)
            json.WriteString("responseMimeType", "application/json");
        json.WriteEndObject();
        if (search && request.Purpose == Purposes.Answer)
        {
            json.WriteStartArray("tools");
            json.WriteStartObject();
            json.WriteStartObject("google_search");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
        }
    });

    static void Parts(Utf8JsonWriter json, string text)
    {
        json.WriteStartArray("parts");
        json.WriteStartObject();
        json.WriteString("text", text);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    public async Task SendAsync(ReadOnlyMemory<byte> body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (apiKey is not null)
            request.Headers.Add("x-goog-api-key", apiKey);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
    }

    public ProviderAnswer? Read(JsonElement body)
    {
        var blocked = body.Get("promptFeedback").Text("blockReason");
        if (body.Get("candidates").ValueKind != JsonValueKind.Array && blocked is null && body.Get("usageMetadata").ValueKind != JsonValueKind.Object)
            return null;
        var candidate = body.First("candidates");
        var finish = candidate.Text("finishReason");
        var usage = body.Get("usageMetadata");
        var input = JsonReading.Sum(usage.Count("promptTokenCount"), usage.Count("toolUsePromptTokenCount"));
        var grounding = candidate.Get("groundingMetadata");
        var refused = blocked is not null || (finish is not null && Refusals.Contains(finish));
        return new ProviderAnswer
        {
            Text = SafeText.Clean(string.Concat(candidate.Get("content").Each("parts").Where(part => part.Get("thought").ValueKind != JsonValueKind.True).Select(part => part.Text("text")))),
            Refused = refused,
            RefusalWord = refused ? SafeText.Short(blocked ?? finish) : null,
            CutByLength = finish == "MAX_TOKENS",
            Sources = Sources(grounding),
            SearchUsed = grounding.Each("webSearchQueries").Any() || grounding.Each("groundingChunks").Any() ? true : search ? null : false,
            ServedModel = SafeText.Short(body.Text("modelVersion")),
            InputTokens = input,
            // Zero counts are left out on the wire; the total then tells.
            OutputTokens = JsonReading.Sum(usage.Count("candidatesTokenCount"), usage.Count("thoughtsTokenCount"))
                ?? (usage.Count("totalTokenCount") is { } total && input is { } known && total >= known ? total - known : null),
            CacheHit = usage.Count("cachedContentTokenCount") > 0,
        };
    }

    public string? ErrorWord(JsonElement body) => body.Get("error").Text("status");

    static IReadOnlyList<AnswerSource> Sources(JsonElement grounding)
    {
        var cited = grounding.Each("groundingSupports").SelectMany(support => support.Each("groundingChunkIndices"))
            .Select(index => index.ValueKind == JsonValueKind.Number && index.TryGetInt32(out var number) ? number : -1).ToHashSet();
        var sources = new SourceList();
        var position = 0;
        foreach (var chunk in grounding.Each("groundingChunks"))
            sources.Add(chunk.Get("web").Text("uri"), chunk.Get("web").Text("title"), cited.Contains(position++));
        return sources.Sources;
    }
}
