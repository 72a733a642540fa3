using Assay.TestServers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults.Tests;

/// <summary>A host whose bus is as production composes it, on a real broker.</summary>
static class BrokerHost
{
    /// <param name="broker">Where it is; the port and whatever else <paramref name="settings"/> do not say otherwise.</param>
    /// <param name="modules">Whose consumers it has.</param>
    /// <param name="logging">Where it logs to; nowhere if null.</param>
    /// <param name="services">What the consumers need.</param>
    /// <param name="settings">Further or other settings of the section <c>RabbitMq</c>.</param>
    public static IHost Build(PrivateRabbitMq broker, IReadOnlyCollection<AssayModule> modules, ILoggerProvider? logging = null, Action<IServiceCollection>? services = null, params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        if (logging is not null)
            builder.Logging.AddProvider(logging);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["RabbitMq:Host"] = broker.Host, ["RabbitMq:Port"] = $"{broker.Port}", ["RabbitMq:Username"] = broker.Username, ["RabbitMq:Password"] = broker.Password,
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => $"RabbitMq:{setting.Key}", setting => setting.Value, StringComparer.Ordinal));
        services?.Invoke(builder.Services);
        builder.AddAssayRabbitMqBus(modules);
        return builder.Build();
    }
}
