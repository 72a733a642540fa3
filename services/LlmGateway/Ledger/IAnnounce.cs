using Assay.LlmGateway.Database;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;

namespace Assay.LlmGateway.Ledger;

/// <summary>Publishes through the outbox of the transaction at hand, in a consumer or outside one.</summary>
interface IAnnounce
{
    Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class;
}

/// <summary>Through the outbox of the message being consumed.</summary>
sealed class AnnounceByConsumer(ConsumeContext context) : IAnnounce
{
    public Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class => context.Publish(message, cancellationToken);
}

/// <summary>Through the outbox of a transaction that the gateway began itself.</summary>
sealed class AnnounceByOutbox(IDbContextOutbox<LlmGatewayDbContext> outbox) : IAnnounce
{
    public int Count { get; private set; }

    public Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class
    {
        Count++;
        return outbox.Publish(message, cancellationToken);
    }
}
