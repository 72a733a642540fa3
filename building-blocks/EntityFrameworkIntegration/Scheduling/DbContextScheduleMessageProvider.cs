using MassTransit.Middleware;
using MassTransit.Scheduling;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Schedules into the database. Inside a consumer's outbox the row is part of its transaction; outside (a redelivery, which must survive
/// the transaction that failed) it has a scope and a commit of its own.
/// </summary>
internal sealed class DbContextScheduleMessageProvider<TDbContext>(
    ConsumeContext context, IServiceScopeFactory scopes, OutboxDelivery<TDbContext> delivery, OutboxSettings<TDbContext> settings, TimeProvider time)
    : IScheduleMessageProvider
    where TDbContext : DbContext
{
    public async Task<ScheduledMessage<T>> ScheduleSend<T>(
        Uri destinationAddress, DateTime scheduledTime, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
        where T : class
    {
        var tokenId = ScheduleTokenIdCache<T>.GetTokenId(message, NewId.NextGuid());
        var row = await ScheduledMessages.CaptureAsync(context, destinationAddress, tokenId, message, pipe, time, cancellationToken);
        var due = scheduledTime.Kind == DateTimeKind.Local ? scheduledTime.ToUniversalTime() : DateTime.SpecifyKind(scheduledTime, DateTimeKind.Utc);
        var delay = due - time.GetUtcNow().UtcDateTime;
        await InTransactionAsync(dbContext => ScheduledMessages.InsertAsync(dbContext, tokenId, delay, row, cancellationToken), cancellationToken);
        if (IsRedelivery(destinationAddress))
            delivery.CountRedelivery();
        return new ScheduledMessageHandle<T>(tokenId, due, destinationAddress, message);
    }

    public Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken) =>
        InTransactionAsync(dbContext => ScheduledMessages.DeleteAsync(dbContext, tokenId, cancellationToken), cancellationToken);

    public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) => CancelScheduledSend(tokenId, cancellationToken);

    private async Task InTransactionAsync(Func<TDbContext, Task> write, CancellationToken cancellationToken)
    {
        if (context.TryGetPayload<OutboxConsumeContext>(out var outbox)
            && outbox is IDbContextOutboxConsumeContext<TDbContext> consumer
            && consumer.DbContext.Database.CurrentTransaction is not null)
        {
            await write(consumer.DbContext);
            consumer.OnCommitted(delivery.Wake);
            return;
        }

        await using var scope = scopes.CreateAsyncScope();
        var dbContext = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await using (var transaction = await dbContext.Database.BeginTransactionAsync(settings.Isolation ?? SqlDialect.Of(dbContext).DefaultIsolation, cancellationToken))
        {
            await write(dbContext);
            await transaction.CommitAsync(cancellationToken);
        }

        delivery.Wake();
    }

    private bool IsRedelivery(Uri destination) => destination == context.ReceiveContext.InputAddress;
}
