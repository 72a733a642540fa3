using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

internal sealed class DbContextOutbox<TDbContext>(
    TDbContext dbContext, IBus bus, OutboxDelivery<TDbContext> delivery, OutboxSettings<TDbContext> settings, IServiceProvider services,
    IScopedConsumeContextProvider consumeContexts, TimeProvider time)
    : IDbContextOutbox<TDbContext>, OutboxSendContext
    where TDbContext : DbContext
{
    private readonly List<OutboxMessage> _collected = [];
    private readonly List<OutboxMessage> _written = [];
    private Guid? _collectedIn;
    private Guid? _writtenIn;
    private TimeSpan? _soonest;

    public TDbContext DbContext => dbContext;

    public Task Publish<T>(T message, CancellationToken cancellationToken = default)
        where T : class => Publish(message, _ => { }, cancellationToken);

    public async Task Publish<T>(T message, Action<SendContext<T>> configure, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(message);
        var endpoint = await new OutboxPublishEndpointProvider(this, bus).GetPublishSendEndpoint<T>();
        await endpoint.Send(message, Pipe.Execute(configure), cancellationToken);
    }

    public async Task Send<T>(Uri destination, T message, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(message);
        var endpoint = await new OutboxSendEndpointProvider(this, bus).GetSendEndpoint(destination);
        await endpoint.Send(message, cancellationToken);
    }

    public async Task<Guid> Schedule<T>(Uri destination, DateTime dueAt, T message, CancellationToken cancellationToken = default)
        where T : class
    {
        RequireTransaction("schedule");
        var tokenId = NewId.NextGuid();
        var row = await ScheduledMessages.CaptureAsync(bus, destination, tokenId, message, Pipe.Empty<SendContext<T>>(), time, cancellationToken);
        var delay = dueAt - time.GetUtcNow().UtcDateTime;
        await ScheduledMessages.InsertAsync(dbContext, tokenId, delay, row, cancellationToken);
        if (Consumer is { } consumer)
            consumer.OnCommitted(() => delivery.Wake(delay));
        else if (_soonest is null || delay < _soonest)
            _soonest = delay;
        return tokenId;
    }

    public Task Unschedule(Guid tokenId, CancellationToken cancellationToken = default)
    {
        RequireTransaction("cancel a schedule");
        return ScheduledMessages.DeleteAsync(dbContext, tokenId, cancellationToken);
    }

    public async Task SaveChangesAsync(CancellationToken cancellationToken = default)
    {
        ForgetEndedTransactions();
        if (dbContext.Database.CurrentTransaction is { } current)
        {
            await dbContext.SaveChangesAsync(cancellationToken);
            await OutboxRows.InsertAsync(dbContext, _collected, delivery.Lease, cancellationToken);
            _written.AddRange(TakeRows());
            _writtenIn = current.TransactionId;
            return;
        }

        await using (var transaction = await dbContext.Database.BeginTransactionAsync(settings.Isolation ?? SqlDialect.Of(dbContext).DefaultIsolation, cancellationToken))
        {
            await dbContext.SaveOrRollBackAsync(cancellationToken);
            await OutboxRows.InsertAsync(dbContext, _collected, delivery.Lease, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        // Only now: a save that failed may be tried again with the same messages.
        delivery.Enqueue(TakeRows());
    }

    public IReadOnlyList<OutboxMessage> TakeRows()
    {
        var rows = _collected.ToArray();
        _collected.Clear();
        _collectedIn = null;
        return rows;
    }

    public void NotifyCommitted()
    {
        var rows = _written.ToArray();
        _written.Clear();
        _writtenIn = null;
        delivery.Enqueue(rows);
        if (_soonest is { } delay)
            delivery.Wake(delay);
        _soonest = null;
    }

    public void NotifyCommitted(IReadOnlyList<OutboxMessage> rows) => delivery.Enqueue(rows);

    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        var row = OutboxRows.Capture(context, time);
        if (Consumer is { } consumer)
            consumer.AddRow(row);
        else
            Collect(row);
        return Task.CompletedTask;
    }

    private void Collect(OutboxMessage row)
    {
        ForgetEndedTransactions();
        if (_collected.Count == 0)
            _collectedIn = dbContext.Database.CurrentTransaction?.TransactionId;
        _collected.Add(row);
    }

    /// <summary>
    /// What was published or written inside a transaction that is no longer the current one belongs to it: it must not slip into the next
    /// one of the same scope, nor be announced with it, because it may have been rolled back. If it was committed, its rows are swept.
    /// </summary>
    private void ForgetEndedTransactions()
    {
        var current = dbContext.Database.CurrentTransaction?.TransactionId;
        if (_collectedIn is not null && _collectedIn != current)
        {
            _collected.Clear();
            _collectedIn = null;
        }

        if (_writtenIn is not null && _writtenIn != current)
        {
            _written.Clear();
            _writtenIn = null;
        }
    }

    public object? GetService(Type serviceType) => services.GetService(serviceType);

    private IDbContextOutboxConsumeContext<TDbContext>? Consumer =>
        consumeContexts.HasContext
        && consumeContexts.GetContext().TryGetPayload<OutboxConsumeContext>(out var outbox)
        && outbox is IDbContextOutboxConsumeContext<TDbContext> consumer
        && ReferenceEquals(consumer.DbContext, dbContext)
            ? consumer
            : null;

    private void RequireTransaction(string what)
    {
        if (dbContext.Database.CurrentTransaction is null)
            throw new InvalidOperationException($"Cannot {what} with the outbox of {typeof(TDbContext).Name}: no transaction is open. Begin one with DbContext.Database.BeginTransactionAsync, commit it, then call NotifyCommitted.");
    }
}
