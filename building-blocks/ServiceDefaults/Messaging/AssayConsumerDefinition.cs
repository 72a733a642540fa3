using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.ServiceDefaults;

/// <summary>A consumer under the one endpoint policy: scheduled redelivery, then immediate retry, then inbox and outbox in one transaction with <typeparamref name="TDbContext"/>.</summary>
public abstract class AssayConsumerDefinition<TConsumer, TDbContext> : ConsumerDefinition<TConsumer>
    where TConsumer : class, IConsumer
    where TDbContext : DbContext
{
    protected override void ConfigureConsumer(IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<TConsumer> consumerConfigurator, IRegistrationContext context) =>
        endpointConfigurator.UseAssayPolicy<TDbContext>(context);
}

/// <summary>The endpoint policy, for consumers and sagas alike.</summary>
public static class EndpointPolicy
{
    /// <summary>
    /// Outermost first: scheduled redelivery, immediate retry, outbox. A message is delivered at most
    /// (redeliveries + 1) × (retries + 1) times, then moves to <c>_error</c> and its <c>Fault&lt;T&gt;</c> is published.
    /// </summary>
    public static void UseAssayPolicy<TDbContext>(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context)
        where TDbContext : DbContext
    {
        var options = context.GetRequiredService<MessagingOptions>();
        endpoint.UseEntityFrameworkMessageScheduler<TDbContext>(context);
        if (options.Redelivery.Count > 0)
            endpoint.UseScheduledRedelivery(redelivery => redelivery.Intervals([.. options.Redelivery]));
        if (options.ImmediateRetries > 0)
            endpoint.UseMessageRetry(retry => retry.Immediate(options.ImmediateRetries));
        endpoint.UseEntityFrameworkOutbox<TDbContext>(context);
    }
}
