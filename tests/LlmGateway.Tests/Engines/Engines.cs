using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Microsoft.Extensions.Configuration;

namespace Assay.LlmGateway.Tests.Engines;

/// <summary>Engines as a host would have them: from settings.</summary>
static class Configured
{
    public static IEngineCatalog Catalog(params (string Key, string? Value)[] settings) =>
        EngineCatalog.Build(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("Engines:" + s.Key, s.Value))).Build(), TimeProvider.System);

    public static EngineDefinition Scripted(string name = "chatgpt") =>
        Catalog(($"{name}:Kind", "scripted"), ($"{name}:MinLatency", "00:00:00"), ($"{name}:MaxLatency", "00:00:00")).Find(name)!;

    public static EngineRequest Question(string text, int run = 1, string locale = "en-US") => new() { Text = text, Run = run, Purpose = Purposes.Answer, Locale = locale };

    public static Task<EngineOutcome> AskAsync(this EngineDefinition engine, EngineRequest request, string key = "key") =>
        engine.Engine.AskAsync(engine.Engine.Render(request), key, CancellationToken.None);
}
