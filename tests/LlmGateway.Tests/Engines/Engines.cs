using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Engines.Providers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Assay.LlmGateway.Tests.Engines;

/// <summary>Engines as a host would have them: from settings.</summary>
static class Configured
{
    public static IEngineCatalog Catalog(params (string Key, string? Value)[] settings) =>
        Build([.. settings.Select(s => ("Engines:" + s.Key, s.Value))]);

    public static IEngineCatalog Build(params (string Key, string? Value)[] settings) =>
        EngineCatalog.Build(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value))).Build(), TimeProvider.System, NullLoggerFactory.Instance);

    public static EngineDefinition Scripted(string name = "chatgpt") =>
        Catalog(($"{name}:Kind", "scripted"), ($"{name}:MinLatency", "00:00:00"), ($"{name}:MaxLatency", "00:00:00")).Find(name)!;

    /// <summary>As a host does at start.</summary>
    public static Task WarmUpAsync(EngineDefinition engine) => ((ProviderEngine)engine.Engine).WarmUpAsync(CancellationToken.None);

    /// <summary>Asks until the request has left: on a starved machine its bytes may miss their moment, and the ledger then asks again.</summary>
    public static async Task<EngineOutcome> AskWarmAsync(EngineDefinition engine, EngineRequest request, Func<bool> arrived, string key = "key")
    {
        await WarmUpAsync(engine);
        var outcome = await engine.AskAsync(request, key);
        for (var again = 0; again < 5 && !arrived(); again++)
            outcome = await engine.AskAsync(request, key);
        return outcome;
    }

    public static EngineRequest Question(string text, int run = 1, string locale = "en-US") => new() { Text = text, Run = run, Purpose = Purposes.Answer, Locale = locale };

    public static Task<EngineOutcome> AskAsync(this EngineDefinition engine, EngineRequest request, string key = "key") =>
        engine.Engine.AskAsync(engine.Engine.Render(request), key, CancellationToken.None);
}
