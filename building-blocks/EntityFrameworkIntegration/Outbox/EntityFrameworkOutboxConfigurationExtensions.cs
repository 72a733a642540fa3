using MassTransit.Configuration;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace MassTransit;

/// <summary>Inbox and outbox in the transactions of a DbContext.</summary>
public static class EntityFrameworkOutboxConfigurationExtensions
{
    /// <summary>
    /// Registers the inbox and outbox of a DbContext, <see cref="IDbContextOutbox{TDbContext}"/>, and the hosted service that delivers and
    /// sweeps them, a health check <c>outbox-TDbContext</c> (tags ready, outbox) and the meter <c>Assay.Outbox</c>. Several DbContexts may share one bus, each with its own call.
    /// </summary>
    /// <typeparam name="TDbContext">A registered DbContext whose model has the messaging tables.</typeparam>
    /// <param name="configurator">The bus registration.</param>
    /// <param name="configure">Settings; every one has a default.</param>
    public static void AddEntityFrameworkOutbox<TDbContext>(this IBusRegistrationConfigurator configurator, Action<IEntityFrameworkOutboxConfigurator>? configure = null)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(configurator);
        var settings = new OutboxSettings<TDbContext>();
        configure?.Invoke(settings);

        configurator.TryAddSingleton(TimeProvider.System);
        configurator.AddSingleton(settings);
        configurator.AddSingleton<OutboxDelivery<TDbContext>>();
        configurator.AddSingleton<IHostedService>(provider => provider.GetRequiredService<OutboxDelivery<TDbContext>>());
        configurator.AddSingleton<IOutboxSweeper>(provider => provider.GetRequiredService<OutboxDelivery<TDbContext>>());
        configurator.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, OutboxListener>());
        configurator.AddScoped<IOutboxContextFactory<TDbContext>, DbContextOutboxContextFactory<TDbContext>>();
        configurator.AddScoped<IDbContextOutbox<TDbContext>, DbContextOutbox<TDbContext>>();
        configurator.AddScoped<IOutboxParking<TDbContext>, OutboxParking<TDbContext>>();
        configurator.AddHealthChecks().Add(new HealthCheckRegistration(
            $"outbox-{typeof(TDbContext).Name}", provider => new OutboxHealthCheck<TDbContext>(provider.GetRequiredService<IServiceScopeFactory>()),
            HealthStatus.Unhealthy, ["ready", "outbox"]));
        configurator.AddSingleton<IMessagingStartCheck, OutboxStartCheck<TDbContext>>();
        configurator.AddMessagingStartChecks();
    }

    /// <summary>
    /// Puts every consumer and saga of the endpoint behind the inbox and outbox of a DbContext: one transaction holds the inbox row, the
    /// consumer's changes and the messages it sends, which leave right after the commit. Configure retry before it, so that each
    /// attempt has a fresh scope.
    /// </summary>
    /// <typeparam name="TDbContext">A DbContext registered with <see cref="AddEntityFrameworkOutbox{TDbContext}"/>.</typeparam>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="context">The registration context of the definition.</param>
    /// <param name="configure">Accepted for the official package's sake.</param>
    public static void UseEntityFrameworkOutbox<TDbContext>(
        this IReceiveEndpointConfigurator configurator, IRegistrationContext context, Action<IOutboxOptionsConfigurator>? configure = null)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(context);
        var observer = new OutboxConsumePipeSpecificationObserver<TDbContext>(configurator, context);
        configure?.Invoke(observer);
        configurator.ConnectConsumerConfigurationObserver(observer);
        configurator.ConnectSagaConfigurationObserver(observer);
    }
}
