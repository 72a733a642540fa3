using Assay.LlmGateway.Engines.Providers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Assay.LlmGateway.Engines;

/// <summary>Registers the engines.</summary>
public static class EngineRegistration
{
    /// <summary>Registers <see cref="IEngineCatalog"/> from the section <c>Engines</c>. The host does not start with settings that cannot be used.</summary>
    public static IServiceCollection AddEngines(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IEngineCatalog>(provider => EngineCatalog.Build(configuration, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()));
        services.AddHostedService<EngineStart>();
        return services;
    }
}

/// <summary>Builds the catalog before any hosted service starts, so that no message arrives at a gateway with unusable settings.</summary>
internal sealed partial class EngineStart(IEngineCatalog catalog, ILogger<EngineStart> logger) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var engine in catalog.All.OrderBy(engine => engine.Name, StringComparer.Ordinal))
            LogEngine(engine.Name, engine.Kind, engine.Model, engine.Prices.InputUsdPerMTok, engine.Prices.OutputUsdPerMTok, engine.Prices.RequestUsd, engine.Prices.SearchUsd, engine.PricesFrom is { } day ? $", list prices of {day:yyyy-MM-dd}" : "");
        if (catalog.All.Count == 0)
            LogNone();
        foreach (var kind in catalog.All.GroupBy(engine => engine.Kind, StringComparer.Ordinal))
        {
            if (kind.First().Engine is ProviderEngine provider)
                await provider.WarmUpAsync(cancellationToken);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Engine {Engine} is {Kind} {Model}: input {InputUsdPerMTok} and output {OutputUsdPerMTok} US dollars per million tokens, {RequestUsd} a request, {SearchUsd} a search{Origin}")]
    partial void LogEngine(string engine, string kind, string model, decimal inputUsdPerMTok, decimal outputUsdPerMTok, decimal requestUsd, decimal searchUsd, string origin);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No engine is configured: every audit is refused as UnknownEngine. Set Engines__NAME__Kind and its settings")]
    partial void LogNone();
}
