using System.Text.Json;
using Anthropic;
using Anthropic.Models.Messages;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>Anthropic's Messages through the official SDK.</summary>
internal sealed class AnthropicFormat : IProviderFormat
{
    static readonly Dictionary<string, JsonElement> Nothing = new(StringComparer.Ordinal);

    readonly string model;
    readonly bool search;
    readonly double? temperature;
    readonly AnthropicClient client;

    public AnthropicFormat(HttpMessageHandler wire, Uri baseAddress, string model, string? apiKey, bool search, double? temperature)
    {
        (this.model, this.search, this.temperature) = (model, search, temperature);
        var address = baseAddress.AbsoluteUri.TrimEnd('/');
        client = new AnthropicClient
        {
            // Set both, or the SDK looks for them in the environment.
            ApiKey = apiKey ?? "none",
            AuthToken = null,
            BaseUrl = address.EndsWith("/v1", StringComparison.OrdinalIgnoreCase) ? address[..^"/v1".Length] : address,
            MaxRetries = 0,
            Timeout = TimeSpan.FromHours(1),
            HttpClient = new HttpClient(wire) { Timeout = Timeout.InfiniteTimeSpan },
        };
    }

    public ReadOnlyMemory<byte> Body(EngineRequest request, int maxOutputTokens) => Rendering.Body(json =>
    {
        json.WriteString("model", model);
        json.WriteNumber("max_tokens", maxOutputTokens);
        if (!string.IsNullOrEmpty(request.System))
            json.WriteString("system", request.System);
        json.WriteStartArray("messages");
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteString("content", request.Text);
        json.WriteEndObject();
        json.WriteEndArray();
        if (temperature is { } degree)
            json.WriteNumber("temperature", degree);
        if (search && request.Purpose == Purposes.Answer)
        {
            json.WriteStartArray("tools");
            json.WriteStartObject();
            json.WriteString("type", "web_search_20250305");
            json.WriteString("name", "web_search");
            // One search is what the worst case holds.
            json.WriteNumber("max_uses", 1);
            json.WriteEndObject();
            json.WriteEndArray();
        }
    });

    public async Task SendAsync(ReadOnlyMemory<byte> body, CancellationToken ct)
    {
        using var json = JsonDocument.Parse(body);
        var fields = json.RootElement.EnumerateObject().ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal);
        using var response = await client.Messages.WithRawResponse.Create(MessageCreateParams.FromRawUnchecked(Nothing, Nothing, fields), ct);
    }

    public ProviderAnswer? Read(JsonElement body)
    {
        if (body.Text("type") != "message" || body.Get("content").ValueKind != JsonValueKind.Array)
            return null;
        var sources = new SourceList();
        foreach (var block in body.Each("content"))
        {
            foreach (var citation in block.Each("citations"))
                sources.Add(citation.Text("url"), citation.Text("title"), cited: true);
        }
        foreach (var block in body.Each("content").Where(block => block.Text("type") == "web_search_tool_result"))
        {
            foreach (var result in block.Each("content"))
                sources.Add(result.Text("url"), result.Text("title"), cited: false);
        }
        var usage = body.Get("usage");
        var stop = body.Text("stop_reason");
        return new ProviderAnswer
        {
            Text = SafeText.Clean(string.Concat(body.Each("content").Where(block => block.Text("type") == "text").Select(block => block.Text("text")))),
            Refused = stop == "refusal",
            RefusalWord = stop == "refusal" ? stop : null,
            CutByLength = stop == "max_tokens",
            Sources = sources.Sources,
            SearchUsed = usage.Get("server_tool_use").Count("web_search_requests") > 0 || sources.Count > 0,
            ServedModel = SafeText.Short(body.Text("model")),
            InputTokens = JsonReading.Sum(usage.Count("input_tokens"), usage.Count("cache_creation_input_tokens"), usage.Count("cache_read_input_tokens")),
            OutputTokens = usage.Count("output_tokens"),
            CacheHit = usage.Count("cache_read_input_tokens") > 0,
        };
    }

    public string? ErrorWord(JsonElement body) => body.Get("error").Text("type");
}
