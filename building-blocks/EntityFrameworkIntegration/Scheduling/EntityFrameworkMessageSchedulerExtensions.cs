using MassTransit.Configuration;
using MassTransit.Context;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Scheduling;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace MassTransit;

/// <summary>A scheduler whose schedules are rows of a DbContext's database.</summary>
public static class EntityFrameworkMessageSchedulerExtensions
{
    /// <summary>
    /// Makes <c>Schedule</c>, <c>Unschedule</c>, <c>ScheduleSend</c> and <c>UseScheduledRedelivery</c> of the endpoint write rows of the
    /// DbContext: in the consumer's transaction behind its outbox, else in one of their own. Configure it first on the endpoint.
    /// </summary>
    /// <typeparam name="TDbContext">A DbContext registered with <c>AddEntityFrameworkOutbox</c> whose model has <c>AddScheduledMessageEntity</c>.</typeparam>
    /// <param name="configurator">The endpoint.</param>
    /// <param name="context">The registration context of the definition.</param>
    public static void UseEntityFrameworkMessageScheduler<TDbContext>(this IReceiveEndpointConfigurator configurator, IRegistrationContext context)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(context);
        configurator.AddPrePipeSpecification(new SchedulerSpecification<TDbContext>(context));
    }

    private sealed class SchedulerSpecification<TDbContext>(IServiceProvider services) : IPipeSpecification<ConsumeContext>
        where TDbContext : DbContext
    {
        public void Apply(IPipeBuilder<ConsumeContext> builder) => builder.AddFilter(new SchedulerFilter<TDbContext>(services));

        public IEnumerable<ValidationResult> Validate() => [];
    }

    private sealed class SchedulerFilter<TDbContext>(IServiceProvider services) : IFilter<ConsumeContext>
        where TDbContext : DbContext
    {
        private readonly IServiceScopeFactory _scopes = services.GetRequiredService<IServiceScopeFactory>();
        private readonly OutboxSettings<TDbContext> _settings = services.GetService<OutboxSettings<TDbContext>>()
            ?? throw new ConfigurationException($"UseEntityFrameworkMessageScheduler<{typeof(TDbContext).Name}> needs AddEntityFrameworkOutbox<{typeof(TDbContext).Name}> on the same bus: its hosted service delivers what is due.");

        private readonly TimeProvider _time = services.GetRequiredService<TimeProvider>();
        private OutboxDelivery<TDbContext>? _delivery;

        public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
        {
            context.AddOrUpdatePayload<MessageSchedulerContext>(() => Create(context), _ => Create(context));
            return next.Send(context);
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("entityFrameworkMessageScheduler");

        // MassTransit asks the factory again with the innermost context each time it opens a scope or an outbox.
        private ConsumeMessageSchedulerContext Create(ConsumeContext context) => new(context, innermost =>
            new MessageScheduler(
                new DbContextScheduleMessageProvider<TDbContext>(innermost, _scopes, Delivery, _settings, _time),
                services.GetRequiredService<IBus>().Topology));

        // Not in the constructor: the delivery needs the bus, which is being built then.
        private OutboxDelivery<TDbContext> Delivery => _delivery ??= services.GetRequiredService<OutboxDelivery<TDbContext>>();
    }
}
