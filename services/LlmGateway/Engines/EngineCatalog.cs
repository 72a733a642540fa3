using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using Assay.LlmGateway.Engines.Providers;
using Assay.LlmGateway.Engines.Replay;
using Assay.LlmGateway.Engines.Scripted;
using Microsoft.Extensions.Configuration;

namespace Assay.LlmGateway.Engines;

/// <summary>Builds the engines that the settings name, or says what is wrong with all of them at once.</summary>
internal sealed class EngineCatalog : IEngineCatalog
{
    // The name says what is meant: with a key it is the real one, without it is simulated.
    static readonly Dictionary<string, (string Kind, string BaseUrl, string Model)> Presets = new(StringComparer.OrdinalIgnoreCase)
    {
        ["chatgpt"] = (EngineKinds.OpenAI, "https://api.openai.com/v1", "gpt-4o-mini"),
        ["advisor"] = (EngineKinds.OpenAI, "https://api.openai.com/v1", "gpt-4o-mini"),
        ["perplexity"] = (EngineKinds.OpenAI, "https://api.perplexity.ai", "sonar"),
        ["claude"] = (EngineKinds.Anthropic, "https://api.anthropic.com", "claude-haiku-4-5"),
        ["gemini"] = (EngineKinds.Gemini, "https://generativelanguage.googleapis.com", "gemini-2.5-flash"),
    };

    static readonly Dictionary<string, string> Official = new(StringComparer.Ordinal)
    {
        [EngineKinds.OpenAI] = "https://api.openai.com/v1",
        [EngineKinds.Anthropic] = "https://api.anthropic.com",
        [EngineKinds.Gemini] = "https://generativelanguage.googleapis.com",
    };

    static readonly string[] Kinds = [EngineKinds.OpenAI, EngineKinds.Anthropic, EngineKinds.Gemini, EngineKinds.Scripted, EngineKinds.Replay];

    readonly FrozenDictionary<string, EngineDefinition> byName;

    EngineCatalog(IEnumerable<EngineDefinition> engines) =>
        byName = engines.ToFrozenDictionary(engine => engine.Name, StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<EngineDefinition> All => byName.Values;

    public EngineDefinition? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>The engines of the section <c>Engines</c>.</summary>
    /// <exception cref="EngineSettingsException">At least one setting cannot be used.</exception>
    public static EngineCatalog Build(IConfiguration configuration, TimeProvider time, ILoggerFactory loggers)
    {
        var problems = new List<string>();
        var engines = new List<EngineDefinition>();
        var listed = PriceList.Read(configuration, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), problems);
        foreach (var section in configuration.GetSection("Engines").GetChildren())
        {
            var before = problems.Count;
            var settings = new EngineSettings(section.Key, section, problems);
            if (section.Value is { Length: > 0 })
                problems.Add($"Engines:{section.Key} is '{section.Value}', not the settings of an engine. Set Engines:{section.Key}:Kind and its other settings.");
            settings.RefuseUnknown();
            if (section.Key.Length > 64 || section.Key.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
                problems.Add($"Engines:{section.Key} is no name of an engine: at most 64 letters, digits, '-', '_' and '.'.");
            var engine = Define(settings, listed, time, loggers);
            if (engine is not null && problems.Count == before)
                engines.Add(engine);
        }
        return problems.Count == 0 ? new EngineCatalog(engines) : throw new EngineSettingsException(problems);
    }

    static EngineDefinition? Define(EngineSettings settings, PriceList listed, TimeProvider time, ILoggerFactory loggers)
    {
        var preset = Presets.TryGetValue(settings.Name, out var found) ? found : default;
        var kind = settings.Text("Kind")?.ToLowerInvariant();
        if (kind is null && preset.Kind is not null)
            kind = settings.Has("ApiKey") || settings.Has("ApiKeyFile") ? preset.Kind : EngineKinds.Scripted;
        if (kind is null || !Kinds.Contains(kind))
        {
            settings.Problem("Kind", kind is null ? $"is missing. Set it to one of {string.Join(", ", Kinds)}." : $"is '{kind}', not one of {string.Join(", ", Kinds)}.");
            return null;
        }
        return kind switch
        {
            EngineKinds.Scripted => DefineScripted(settings, time),
            EngineKinds.Replay => DefineReplay(settings),
            _ => DefineProvider(settings, kind, preset.Kind == kind ? (preset.BaseUrl, preset.Model) : (null, null), listed, loggers),
        };
    }

    static EngineDefinition DefineScripted(EngineSettings settings, TimeProvider time)
    {
        var least = settings.Duration("MinLatency", TimeSpan.Zero, TimeSpan.FromMinutes(1)) ?? TimeSpan.FromMilliseconds(5);
        var most = settings.Duration("MaxLatency", TimeSpan.Zero, TimeSpan.FromMinutes(1)) ?? TimeSpan.FromMilliseconds(Math.Max(30, least.TotalMilliseconds));
        if (most < least)
            settings.Problem("MaxLatency", $"is {most:c}, below MinLatency {least:c}.");
        var model = settings.Text("Model") ?? "scripted-1";
        var limit = settings.Whole("MaxOutputTokens", 16, 200_000) ?? 4096;
        return Common(settings, EngineKinds.Scripted, model, limit, Prices(settings) ?? EnginePrices.Free, concurrency: 32,
            ParametersHash(EngineKinds.Scripted, model, settings.Name, limit), new ScriptedEngine(settings.Name, model, limit, least, most < least ? least : most, time));
    }

    static EngineDefinition DefineReplay(EngineSettings settings)
    {
        var path = settings.Text("Path");
        var content = "";
        if (path is null)
            settings.Problem("Path", "is missing. Set it to a JSONL file of recorded answers.");
        else
        {
            try
            {
                path = Path.GetFullPath(path);
                using var file = File.OpenRead(path);
                content = Convert.ToHexStringLower(SHA256.HashData(file));
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                settings.Problem("Path", $"is '{path}', which cannot be read ({unreadable.Message}). Point it to a JSONL file of recorded answers.");
            }
        }
        var model = settings.Text("Model");
        var limit = settings.Whole("MaxOutputTokens", 16, 200_000) ?? 4096;
        return Common(settings, EngineKinds.Replay, model ?? "all", limit, Prices(settings) ?? EnginePrices.Free, concurrency: 32,
            ParametersHash(EngineKinds.Replay, model, content, limit), new ReplayEngine(new RecordedAnswers(path ?? "", model), limit));
    }

    static EngineDefinition? DefineProvider(EngineSettings settings, string kind, (string? BaseUrl, string? Model) preset, PriceList listed, ILoggerFactory loggers)
    {
        var model = settings.Text("Model") ?? preset.Model;
        if (model is null)
            settings.Problem("Model", "is missing. Set it to a model of the provider.");
        var text = settings.Text("BaseUrl") ?? preset.BaseUrl ?? Official[kind];
        var privateNetwork = settings.Switch("AllowPrivateNetwork") ?? false;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Host.Length == 0)
        {
            settings.Problem("BaseUrl", "is no absolute address, for example https://api.openai.com/v1.");
            return null;
        }
        if (EngineAddress.Refusal(address, privateNetwork) is { } refusal)
        {
            settings.Problem("BaseUrl", refusal + ".");
            return null;
        }
        var key = settings.ApiKey();
        if (key is null && !settings.Has("ApiKey") && !settings.Has("ApiKeyFile") && Official.Values.Any(official => new Uri(official).Host == address.Host))
            settings.Problem("ApiKey", $"is missing, and {address.Host} answers nobody without one. Set it, or ApiKeyFile.");
        var search = settings.Switch("Search") ?? false;
        var temperature = settings.Number("Temperature", 0, 2);
        var limit = settings.Whole("MaxOutputTokens", 16, 200_000) ?? 2048;
        var (prices, pricesFrom) = ProviderPrices(settings, listed, kind, address, model ?? "", search);
        if (model is null || prices is null)
            return null;

        // What a search finds is fed to the model as input that no byte of the request announces.
        var searchInput = search ? settings.Whole("SearchInputTokens", 0, 1_000_000) ?? (kind == EngineKinds.Anthropic ? 60_000 : 0) : 0;
        var endpoint = kind == EngineKinds.OpenAI ? OpenAIFormat.Endpoint(address) : address;
        var wire = new WireHandler(EngineAddress.Handler(address, privateNetwork));
        IProviderFormat format = kind switch
        {
            EngineKinds.Anthropic => new AnthropicFormat(wire, endpoint, model, key, search, temperature),
            EngineKinds.Gemini => new GeminiFormat(wire, endpoint, model, key, search, temperature),
            _ => new OpenAIFormat(wire, endpoint, model, key, search, temperature),
        };
        var engine = new ProviderEngine(settings.Name, format, limit, searchInput, Timeout(settings), settings.Statuses("NotBilledStatuses"), loggers.CreateLogger<ProviderEngine>());
        return Common(settings, kind, model, limit, prices, concurrency: 8, ParametersHash(kind, endpoint, model, limit, search, temperature), engine) with { PricesFrom = pricesFrom };
    }

    /// <summary>The engine's own prices, else those of the settings' price list, else those of the built-in table. A price that nobody knows is not free.</summary>
    static (EnginePrices? Prices, DateOnly? From) ProviderPrices(EngineSettings settings, PriceList list, string kind, Uri address, string model, bool search)
    {
        var listed = list.Find(address.Host, model, search);
        // What listens on this machine and calls its models by a provider's names is taken for a way to that provider.
        if (listed is null && (EngineAddress.IsLoopback(address) ? PriceTable.FindAnywhere(kind, model, search) : PriceTable.Find(kind, address.Host, model, search)) is { } known)
            listed = (known, PriceTable.EffectiveFrom);
        var own = (Input: settings.Money("InputUsdPerMTok"), Output: settings.Money("OutputUsdPerMTok"), Request: settings.Money("RequestUsd"), Search: settings.Money("SearchUsd"));
        var input = own.Input ?? listed?.Prices.InputUsdPerMTok;
        var output = own.Output ?? listed?.Prices.OutputUsdPerMTok;
        var searched = own.Search ?? (search ? listed?.Prices.SearchUsd : 0);
        foreach (var (price, setting) in ((decimal?, string)[])[(input, "InputUsdPerMTok"), (output, "OutputUsdPerMTok"), (searched, "SearchUsd")])
        {
            if (price is null && !settings.Has(setting))
                settings.Problem(setting, $"is not set, and the price of '{model}' at {address.Host} is not known: an unknown price is not free. Set it in US dollars, to 0 only if nothing is paid.");
        }
        if (input is null || output is null || searched is null)
            return default;
        var prices = new EnginePrices { InputUsdPerMTok = input.Value, OutputUsdPerMTok = output.Value, RequestUsd = own.Request ?? listed?.Prices.RequestUsd ?? 0, SearchUsd = searched.Value };
        return (prices, own.Input is null || own.Output is null ? listed?.From : null);
    }

    static EngineDefinition Common(EngineSettings settings, string kind, string model, int outputLimit, EnginePrices prices, int concurrency, string parametersHash, IAnswerEngine engine) => new()
    {
        Name = settings.Name,
        Kind = kind,
        Model = model,
        Simulated = kind == EngineKinds.Scripted,
        Prices = prices,
        MaxOutputTokens = outputLimit,
        MaxConcurrency = settings.Whole("MaxConcurrency", 1, 10_000) ?? concurrency,
        RequestsPerMinute = settings.Whole("RequestsPerMinute", 1, 10_000_000),
        TokensPerMinute = settings.Whole("TokensPerMinute", 1, int.MaxValue),
        Timeout = Timeout(settings),
        MaxTries = settings.Whole("MaxTries", 1, 20) ?? 4,
        InvalidRetries = settings.Whole("InvalidRetries", 0, 1) ?? 1,
        ParametersHash = parametersHash,
        Engine = engine,
    };

    static TimeSpan Timeout(EngineSettings settings) =>
        settings.Duration("Timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)) ?? TimeSpan.FromMinutes(1);

    /// <summary>The prices set; null if none is.</summary>
    static EnginePrices? Prices(EngineSettings settings)
    {
        var input = settings.Money("InputUsdPerMTok");
        var output = settings.Money("OutputUsdPerMTok");
        var request = settings.Money("RequestUsd");
        var search = settings.Money("SearchUsd");
        if (input is null && output is null && request is null && search is null)
            return null;
        return new EnginePrices { InputUsdPerMTok = input ?? 0, OutputUsdPerMTok = output ?? 0, RequestUsd = request ?? 0, SearchUsd = search ?? 0 };
    }

    static string ParametersHash(params object?[] parameters) =>
        Rendering.Sha256(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', parameters.Select(p => Convert.ToString(p, CultureInfo.InvariantCulture) is { } text ? $"{text.Length}:{text}" : "-"))));
}
