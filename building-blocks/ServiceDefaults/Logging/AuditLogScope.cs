using System.Collections.Concurrent;
using System.Reflection;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults;

/// <summary>Whatever is logged while a message is consumed carries the message's <c>AuditId</c>, <c>Attempt</c> and <c>BatchId</c>, as far as it has them.</summary>
sealed class AuditLogScope(ILogger logger) : IConsumerConfigurationObserver, ISagaConfigurationObserver
{
    static readonly string[] Names = ["AuditId", "Attempt", "BatchId"];
    static readonly ConcurrentDictionary<Type, PropertyInfo[]> Known = new();

    /// <summary>Puts every consumer and saga of the bus into such a scope.</summary>
    public static void Connect(IBusFactoryConfigurator bus, ILoggerFactory loggers)
    {
        var observer = new AuditLogScope(loggers.CreateLogger("Assay.Message"));
        bus.ConnectConsumerConfigurationObserver(observer);
        bus.ConnectSagaConfigurationObserver(observer);
    }

    void IConsumerConfigurationObserver.ConsumerMessageConfigured<TConsumer, TMessage>(IConsumerMessageConfigurator<TConsumer, TMessage> configurator)
    {
        if (PropertiesOf(typeof(TMessage)).Length > 0)
            configurator.Message(message => message.UseFilter(new Filter<TMessage>(logger)));
    }

    void ISagaConfigurationObserver.SagaMessageConfigured<TSaga, TMessage>(ISagaMessageConfigurator<TSaga, TMessage> configurator)
    {
        if (PropertiesOf(typeof(TMessage)).Length > 0)
            configurator.Message(message => message.UseFilter(new Filter<TMessage>(logger)));
    }

    void IConsumerConfigurationObserver.ConsumerConfigured<TConsumer>(IConsumerConfigurator<TConsumer> configurator)
    {
    }

    void ISagaConfigurationObserver.SagaConfigured<TSaga>(ISagaConfigurator<TSaga> configurator)
    {
    }

    void ISagaConfigurationObserver.StateMachineSagaConfigured<TSaga>(ISagaConfigurator<TSaga> configurator, SagaStateMachine<TSaga> stateMachine)
    {
    }

    static PropertyInfo[] PropertiesOf(Type message) => Known.GetOrAdd(message, type => [.. Names.Select(name => type.GetProperty(name)).OfType<PropertyInfo>()]);

    sealed class Filter<TMessage>(ILogger logger) : IFilter<ConsumeContext<TMessage>>
        where TMessage : class
    {
        readonly PropertyInfo[] properties = PropertiesOf(typeof(TMessage));

        public async Task Send(ConsumeContext<TMessage> context, IPipe<ConsumeContext<TMessage>> next)
        {
            using (logger.BeginScope(properties.ToDictionary(property => property.Name, property => property.GetValue(context.Message), StringComparer.Ordinal)))
                await next.Send(context);
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("auditLogScope");
    }
}
