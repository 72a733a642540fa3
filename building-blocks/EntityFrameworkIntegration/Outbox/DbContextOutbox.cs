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
    private bool _scheduled;

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
        await ScheduledMessages.InsertAsync(dbContext, tokenId, dueAt - time.GetUtcNow().UtcDateTime, row, cancellationToken);
        if (Consumer is { } consumer)
            consumer.OnCommitted(delivery.Wake);
        else
            _scheduled = true;
        return tokenId;
    }

    public Task Unschedule(Guid tokenId, CancellationToken cancellationToken = default)
    {
        RequireTransaction("cancel a schedule");
        return ScheduledMessages.DeleteAsync(dbContext, tokenId, cancellationToken);
    }

    public async Task SaveChangesAsync(CancellationToken cancellationToken = default)
    {
        if (dbContext.Database.CurrentTransaction is not null)
        {
            await dbContext.SaveChangesAsync(cancellationToken);
            var rows = TakeRows();
            await OutboxRows.InsertAsync(dbContext, rows, delivery.Lease, cancellationToken);
            _written.AddRange(rows);
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
        return rows;
    }

    public void NotifyCommitted()
    {
        var rows = _written.ToArray();
        _written.Clear();
        delivery.Enqueue(rows);
        if (_scheduled)
            delivery.Wake();
        _scheduled = false;
    }

    public void NotifyCommitted(IReadOnlyList<OutboxMessage> rows) => delivery.Enqueue(rows);

    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        var row = OutboxRows.Capture(context, time);
        if (Consumer is { } consumer)
            consumer.AddRow(row);
        else
            _collected.Add(row);
        return Task.CompletedTask;
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
