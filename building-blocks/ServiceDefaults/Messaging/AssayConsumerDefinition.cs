#if OFFICIAL_ENTITY_FRAMEWORK
using Assay.OfficialEntityFramework;
#endif
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
        endpointConfigurator.UseAssayPolicy<TDbContext>(context, BeforeTransaction(context));

    /// <summary>What a message passes after redelivery and retry and before the transaction; nothing, unless a definition says so.</summary>
    protected virtual IConsumerConfigurationObserver? BeforeTransaction(IRegistrationContext context) => null;
}

/// <summary>Puts a filter of one type of message at the place in the policy where this observer is connected. A filter of the endpoint itself would be outside of all of it: what fails there is neither tried again nor told as a fault.</summary>
/// <typeparam name="TFiltered">The type of message.</typeparam>
public sealed class FilterAtItsPlace<TFiltered>(IFilter<ConsumeContext<TFiltered>> filter) : IConsumerConfigurationObserver
    where TFiltered : class
{
    /// <inheritdoc />
    public void ConsumerConfigured<TConsumer>(IConsumerConfigurator<TConsumer> configurator)
        where TConsumer : class
    {
    }

    /// <inheritdoc />
    public void ConsumerMessageConfigured<TConsumer, TMessage>(IConsumerMessageConfigurator<TConsumer, TMessage> configurator)
        where TConsumer : class
        where TMessage : class
    {
        if (configurator is IConsumerMessageConfigurator<TConsumer, TFiltered> mine)
            mine.Message(message => message.UseFilter(filter));
    }
}

/// <summary>The endpoint policy, for consumers and sagas alike.</summary>
public static class EndpointPolicy
{
    /// <summary>
    /// Outermost first: scheduled redelivery, immediate retry, what comes before a transaction, outbox. A message is delivered at most
    /// (redeliveries + 1) × (retries + 1) times, then moves to <c>_error</c> and its <c>Fault&lt;T&gt;</c> is published.
    /// </summary>
    public static void UseAssayPolicy<TDbContext>(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context, IConsumerConfigurationObserver? beforeTransaction = null)
        where TDbContext : DbContext
    {
        var options = context.GetRequiredService<MessagingOptions>();
        endpoint.UseEntityFrameworkMessageScheduler<TDbContext>(context);
        if (options.Redelivery.Count > 0)
            endpoint.UseScheduledRedelivery(redelivery => redelivery.Intervals([.. options.Redelivery]));
        if (options.ImmediateRetries > 0)
            endpoint.UseMessageRetry(retry => retry.Immediate(options.ImmediateRetries));
        if (beforeTransaction is not null)
            endpoint.ConnectConsumerConfigurationObserver(beforeTransaction);
#if OFFICIAL_ENTITY_FRAMEWORK
        endpoint.UseOfficialOutbox<TDbContext>(context);
#else
        endpoint.UseEntityFrameworkOutbox<TDbContext>(context);
#endif
    }
}

/// <summary>Where a module's messages and sagas are stored.</summary>
public static class MessageStorage
{
    /// <summary>Inbox, outbox, scheduler and sweeper of a module's DbContext.</summary>
    public static void AddAssayOutbox<TDbContext>(this IBusRegistrationConfigurator bus)
        where TDbContext : DbContext
    {
        bus.AddEntityFrameworkOutbox<TDbContext>();
#if OFFICIAL_ENTITY_FRAMEWORK
        bus.AddOfficialOutbox<TDbContext>();
#endif
    }

    /// <summary>Stores a saga in a module's DbContext, its row locked while a message changes it.</summary>
    public static void StoreIn<TSaga, TDbContext>(this ISagaRegistrationConfigurator<TSaga> saga)
        where TSaga : class, ISaga
        where TDbContext : DbContext =>
#if OFFICIAL_ENTITY_FRAMEWORK
        saga.OfficialRepository<TSaga, TDbContext>();
#else
        saga.EntityFrameworkRepository(repository => repository.ExistingDbContext<TDbContext>());
#endif
}
