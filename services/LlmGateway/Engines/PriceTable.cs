using Microsoft.Extensions.Configuration;

namespace Assay.LlmGateway.Engines;

/// <summary>Published list prices of well-known models, for settings that name none. Settings always win; a model that is not here must be priced by setting.</summary>
public static class PriceTable
{
    /// <summary>The day these prices were last compared with the providers' price pages.</summary>
    public static DateOnly EffectiveFrom { get; } = new(2025, 10, 1);

    sealed record Listed(string Model, decimal Input, decimal Output, decimal Request = 0, decimal Search = 0);

    // Where a provider prices by context length or search size, the dearest step stands here: a price is never understated.
    static readonly Dictionary<string, Listed[]> ByKindAndHost = new(StringComparer.OrdinalIgnoreCase)
    {
        ["openai api.openai.com"] =
        [
            new("gpt-5-nano", 0.05m, 0.40m),
            new("gpt-5-mini", 0.25m, 2.00m),
            new("gpt-5-chat-latest", 1.25m, 10.00m),
            new("gpt-5", 1.25m, 10.00m),
            new("gpt-4.1-nano", 0.10m, 0.40m),
            new("gpt-4.1-mini", 0.40m, 1.60m),
            new("gpt-4.1", 2.00m, 8.00m),
            new("gpt-4o-mini-search-preview", 0.15m, 0.60m, Request: 0.025m),
            new("gpt-4o-search-preview", 2.50m, 10.00m, Request: 0.025m),
            new("gpt-4o-mini", 0.15m, 0.60m),
            new("gpt-4o", 2.50m, 10.00m),
        ],
        ["openai api.perplexity.ai"] =
        [
            new("sonar-reasoning-pro", 2.00m, 8.00m, Request: 0.014m),
            new("sonar-pro", 3.00m, 15.00m, Request: 0.014m),
            new("sonar", 1.00m, 1.00m, Request: 0.012m),
        ],
        ["anthropic api.anthropic.com"] =
        [
            new("claude-opus-4-1", 15.00m, 75.00m, Search: 0.01m),
            new("claude-sonnet-4-5", 3.00m, 15.00m, Search: 0.01m),
            new("claude-haiku-4-5", 1.00m, 5.00m, Search: 0.01m),
            new("claude-sonnet-4", 3.00m, 15.00m, Search: 0.01m),
            new("claude-3-5-haiku", 0.80m, 4.00m, Search: 0.01m),
        ],
        ["gemini generativelanguage.googleapis.com"] =
        [
            new("gemini-2.5-flash-lite", 0.10m, 0.40m, Search: 0.035m),
            new("gemini-2.5-flash", 0.30m, 2.50m, Search: 0.035m),
            new("gemini-2.5-pro", 2.50m, 15.00m, Search: 0.035m),
            new("gemini-2.0-flash", 0.10m, 0.40m, Search: 0.035m),
        ],
    };

    /// <summary>The list price of a model at its own provider; a dated name (<c>gpt-4o-2024-11-20</c>) has the price of its family. Null for every other host.</summary>
    /// <param name="search">Whether requests may search: without it the price of a search is left out.</param>
    public static EnginePrices? Find(string kind, string host, string model, bool search)
    {
        return ByKindAndHost.TryGetValue($"{kind} {host}", out var models) ? Find(models, model, search) : null;
    }

    /// <summary>The list price of a model by its name alone.</summary>
    public static EnginePrices? FindAnywhere(string kind, string model, bool search) =>
        ByKindAndHost.Where(entry => entry.Key.StartsWith(kind + " ", StringComparison.OrdinalIgnoreCase)).Select(entry => Find(entry.Value, model, search)).FirstOrDefault(found => found is not null);

    static EnginePrices? Find(Listed[] models, string model, bool search)
    {
        var found = Array.Find(models, listed => IsOf(listed.Model, model));
        return found is null ? null : new EnginePrices
        {
            InputUsdPerMTok = found.Input,
            OutputUsdPerMTok = found.Output,
            RequestUsd = found.Request,
            SearchUsd = search ? found.Search : 0,
        };
    }

    static bool IsOf(string family, string model)
    {
        if (!model.StartsWith(family, StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = model.AsSpan(family.Length);
        return rest.IsEmpty || rest is "-latest" || (rest[0] == '-' && rest.Length >= 9 && !rest.ContainsAnyExcept("-0123456789"));
    }
}

/// <summary>
/// Prices from the settings: <c>Prices:N:Model</c> with <c>EffectiveFrom</c> and the four prices, optionally for one <c>Host</c> only.
/// The latest entry whose day has come decides when a process starts; audits keep the prices they were opened with.
/// </summary>
internal sealed class PriceList
{
    sealed record Entry(string Model, string? Host, DateOnly From, EnginePrices Prices);

    readonly List<Entry> entries = [];

    public static PriceList Read(IConfiguration configuration, DateOnly today, ICollection<string> problems)
    {
        var list = new PriceList();
        foreach (var section in configuration.GetSection("Prices").GetChildren())
        {
            var settings = new EngineSettings("Prices:" + section.Key, section, problems, prefix: "");
            var before = problems.Count;
            settings.RefuseUnknown(["Model", "Host", "EffectiveFrom", "InputUsdPerMTok", "OutputUsdPerMTok", "RequestUsd", "SearchUsd"], "a price");
            var model = settings.Text("Model");
            if (model is null)
                settings.Problem("Model", "is missing. Set it to the model the price is for.");
            var from = settings.Day("EffectiveFrom");
            if (from is null && !settings.Has("EffectiveFrom"))
                settings.Problem("EffectiveFrom", "is missing. Set it to the first day of the price, for example 2026-01-31.");
            var (input, output) = (settings.Money("InputUsdPerMTok"), settings.Money("OutputUsdPerMTok"));
            foreach (var (price, setting) in ((decimal?, string)[])[(input, "InputUsdPerMTok"), (output, "OutputUsdPerMTok")])
            {
                if (price is null && !settings.Has(setting))
                    settings.Problem(setting, "is missing: an unknown price is not free. Set it in US dollars per million tokens.");
            }
            var prices = new EnginePrices { InputUsdPerMTok = input ?? 0, OutputUsdPerMTok = output ?? 0, RequestUsd = settings.Money("RequestUsd") ?? 0, SearchUsd = settings.Money("SearchUsd") ?? 0 };
            if (problems.Count == before && from <= today)
                list.entries.Add(new Entry(model!, settings.Text("Host"), from!.Value, prices));
        }
        return list;
    }

    /// <summary>The price of a model at a host and the day it is from; null where the settings hold none that is in force.</summary>
    public (EnginePrices Prices, DateOnly From)? Find(string host, string model, bool search)
    {
        var found = entries.Where(entry => string.Equals(entry.Model, model, StringComparison.OrdinalIgnoreCase) && (entry.Host is null || string.Equals(entry.Host, host, StringComparison.OrdinalIgnoreCase)))
            .OrderByDescending(entry => entry.Host is not null).ThenByDescending(entry => entry.From).FirstOrDefault();
        return found is null ? null : (search ? found.Prices : found.Prices with { SearchUsd = 0 }, found.From);
    }
}
