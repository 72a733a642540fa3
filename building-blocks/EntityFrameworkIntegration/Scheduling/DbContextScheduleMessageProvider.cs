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
    // Below the half hour after which RabbitMQ closes a consumer that does not acknowledge.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    public async Task<ScheduledMessage<T>> ScheduleSend<T>(
        Uri destinationAddress, DateTime scheduledTime, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
        where T : class
    {
        var tokenId = ScheduleTokenIdCache<T>.GetTokenId(message, NewId.NextGuid());
        var row = await ScheduledMessages.CaptureAsync(context, destinationAddress, tokenId, message, pipe, time, cancellationToken);
        var due = scheduledTime.Kind == DateTimeKind.Local ? scheduledTime.ToUniversalTime() : DateTime.SpecifyKind(scheduledTime, DateTimeKind.Utc);
        var delay = due - time.GetUtcNow().UtcDateTime;
        await InTransactionAsync(dbContext => ScheduledMessages.InsertAsync(dbContext, tokenId, delay, row, cancellationToken), () => delivery.Wake(delay), cancellationToken);
        if (IsRedelivery(destinationAddress))
            delivery.CountRedelivery();
        return new ScheduledMessageHandle<T>(tokenId, due, destinationAddress, message);
    }

    public Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken) =>
        InTransactionAsync(dbContext => ScheduledMessages.DeleteAsync(dbContext, tokenId, cancellationToken), () => { }, cancellationToken);

    public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) => CancelScheduledSend(tokenId, cancellationToken);

    private async Task InTransactionAsync(Func<TDbContext, Task> write, Action committed, CancellationToken cancellationToken)
    {
        if (context.TryGetPayload<OutboxConsumeContext>(out var outbox)
            && outbox is IDbContextOutboxConsumeContext<TDbContext> consumer
            && consumer.DbContext.Database.CurrentTransaction is not null)
        {
            await write(consumer.DbContext);
            consumer.OnCommitted(committed);
            return;
        }

        var giveUpAt = time.GetUtcNow() + Patience;
        for (var pause = TimeSpan.FromMilliseconds(200);; pause = pause < TimeSpan.FromSeconds(5) ? pause * 2 : pause)
        {
            try
            {
                await CommitAsync(write, cancellationToken);
                committed();
                return;
            }
            catch (Exception exception) when (SqlDialect.IsTransientAnywhere(exception) && time.GetUtcNow() + pause < giveUpAt)
            {
                // To fail here would move the message to the error queue because its database restarts. It waits unacknowledged
                // instead; a process that is stopped or dies gives it back to the broker.
                delivery.LogRedeliveryWaits(exception, context.MessageId);
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    private async Task CommitAsync(Func<TDbContext, Task> write, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var dbContext = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await using (var transaction = await dbContext.Database.BeginTransactionAsync(settings.Isolation ?? SqlDialect.Of(dbContext).DefaultIsolation, cancellationToken))
        {
            await write(dbContext);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private bool IsRedelivery(Uri destination) => destination == context.ReceiveContext.InputAddress;
}
