using System.Data;
using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Consumes a message exactly once: the inbox row is inserted first, in the transaction that also holds the consumer's changes and its
/// outgoing messages. Whoever finds the row already committed knows that the message was consumed.
/// </summary>
internal sealed class DbContextOutboxContextFactory<TDbContext>(
    TDbContext dbContext, OutboxDelivery<TDbContext> delivery, OutboxSettings<TDbContext> settings, IServiceProvider services, TimeProvider time)
    : IOutboxContextFactory<TDbContext>
    where TDbContext : DbContext
{
    public async Task Send<T>(ConsumeContext<T> context, OutboxConsumeOptions options, IPipe<OutboxConsumeContext<T>> next)
        where T : class
    {
        var messageId = context.GetOriginalMessageId()
            ?? throw new MessageException(typeof(T), "The message could not be consumed through the inbox: it has no MessageId. Set one where it is sent, or take UseEntityFrameworkOutbox off this endpoint.");
        var sql = MessagingSql.Of(dbContext);
        IReadOnlyList<OutboxMessage> sent;

        await using (var transaction = await dbContext.Database.BeginTransactionAsync(settings.Isolation ?? sql.Dialect.DefaultIsolation, context.CancellationToken))
        {
            var claim = await ClaimAsync(sql, messageId, options.ConsumerId, context.ExpirationTime, context.CancellationToken);
            var outbox = new DbContextOutboxConsumeContext<TDbContext, T>(context, options, services, dbContext, claim, delivery, time);
            await next.Send(outbox);
            if (outbox.IsDuplicate)
            {
                // Counts the delivery; what the first one left unsent is the sweeper's.
                await transaction.CommitAsync(context.CancellationToken);
                return;
            }

            await transaction.CommitAsync(context.CancellationToken);
            sent = outbox.Rows;
            outbox.Committed();
        }

        if (sent.Count > 0)
            await delivery.SendCommittedAsync(sent, context.CancellationToken);
    }

    public void Probe(ProbeContext context)
    {
        var scope = context.CreateFilterScope("entityFrameworkOutbox");
        scope.Add("context", typeof(TDbContext).Name);
    }

    // A row that others have inserted but not committed is waited for (up to lock_timeout); a committed one means: consumed.
    private async Task<InboxClaim> ClaimAsync(MessagingSql sql, Guid messageId, Guid consumerId, DateTime? expires, CancellationToken cancellationToken)
    {
        await using var command = dbContext.Database.CreateCommand(sql.Claim);
        command.Bind(sql.Dialect, DbType.Guid, messageId);
        command.Bind(sql.Dialect, DbType.Guid, consumerId);
        command.Bind(sql.Dialect, DbType.Guid, NewId.NextGuid());
        command.Bind(sql.Dialect, DbType.DateTime, expires);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new DataException($"The inbox row of message {messageId} was neither inserted nor found; the table {sql.Inbox} does not behave as the model says. Compare its unique key with the migration.");
        return new InboxClaim(messageId, consumerId, reader.GetInt32(0));
    }
}

/// <summary>The inbox row of this delivery; the first one has a receive count of 1.</summary>
internal sealed record InboxClaim(Guid MessageId, Guid ConsumerId, int ReceiveCount);
