using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.TestServers;

namespace Assay.EndToEnd;

/// <summary>The recorded answers beside the repository, and a request over a part of them.</summary>
static class RecordedAnswers
{
    public static string Path => SharedFolder.Find("answers/recorded-answers.jsonl");

    public static IReadOnlyList<JsonElement> All { get; } = [.. File.ReadLines(Path).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    /// <summary>Queries about earbuds and headphones, in the order of the file.</summary>
    public static IReadOnlyList<string> Queries { get; } =
        [.. All.Where(row => row.GetProperty("panel").GetString() is { } panel && (panel.Contains("earbuds", StringComparison.Ordinal) || panel.Contains("headphones", StringComparison.Ordinal)))
            .Select(row => row.GetProperty("query").GetString()!).Distinct(StringComparer.Ordinal)];

    /// <summary>The n-th recorded answer of an engine to a query.</summary>
    public static string Answer(string query, string engine, int run) =>
        All.Where(row => row.GetProperty("query").GetString() == query && row.GetProperty("engine").GetString() == engine)
            .OrderBy(row => row.GetProperty("run").GetInt32()).ElementAt(run - 1).GetProperty("answer").GetString()!;

    public static JsonObject Request(IReadOnlyList<string> queries, params string[] engines) => new()
    {
        ["brand"] = new JsonObject { ["name"] = "Anker", ["domain"] = "anker.com", ["aliases"] = new JsonArray("Soundcore") },
        ["competitors"] = new JsonArray([.. new[] { "Sony", "JBL", "Apple", "Bose" }.Select(name => (JsonNode)new JsonObject { ["name"] = name, ["domain"] = $"{name.ToLowerInvariant()}.com" })]),
        ["queries"] = new JsonArray([.. queries.Select(query => (JsonNode)query)]),
        ["engines"] = new JsonArray([.. engines.Select(engine => (JsonNode)engine)]),
        ["ceilingUsd"] = 5.00,
        ["requestedBy"] = "end-to-end tests",
    };

    public static Dictionary<string, string> ReplaySettings => new(StringComparer.Ordinal)
    {
        ["Engines__chatgpt__Kind"] = "replay",
        ["Engines__chatgpt__Path"] = Path,
        ["Engines__chatgpt__Model"] = "chatgpt-web",
        ["Engines__google__Kind"] = "replay",
        ["Engines__google__Path"] = Path,
        ["Engines__google__Model"] = "google-ai-mode",
        ["Engines__advisor__Kind"] = "scripted",
    };
}
