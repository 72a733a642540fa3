using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Serialization;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>What the scheduler and the explicit outbox need of a consumer's open transaction.</summary>
internal interface IDbContextOutboxConsumeContext<out TDbContext>
    where TDbContext : DbContext
{
    TDbContext DbContext { get; }

    /// <summary>Adds a captured message to the transaction.</summary>
    void AddRow(OutboxMessage row);

    /// <summary>Runs once the transaction is committed.</summary>
    void OnCommitted(Action action);
}

/// <summary>A consumer's context inside the outbox: what it sends is collected and stored with its changes.</summary>
internal sealed class DbContextOutboxConsumeContext<TDbContext, TMessage>(
    ConsumeContext<TMessage> context, OutboxConsumeOptions options, IServiceProvider services, TDbContext dbContext, InboxClaim claim,
    OutboxDelivery<TDbContext> delivery, TimeProvider time)
    : OutboxConsumeContextProxy<TMessage>(context, options, services), IDbContextOutboxConsumeContext<TDbContext>
    where TDbContext : DbContext
    where TMessage : class
{
    private readonly Lock _gate = new();
    private readonly List<OutboxMessage> _rows = [];
    private readonly List<Action> _committed = [];
    private bool _consumed;

    public TDbContext DbContext => dbContext;

    public IReadOnlyList<OutboxMessage> Rows => _rows;

    public bool IsDuplicate => claim.ReceiveCount > 1;

    public override bool ContinueProcessing { get; set; } = true;

    public override bool IsMessageConsumed => IsDuplicate || _consumed;

    // The factory sends after the commit by itself; MassTransit's pipe is never asked to.
    public override bool IsOutboxDelivered => IsMessageConsumed;

    public override int ReceiveCount => claim.ReceiveCount;

    public override long? LastSequenceNumber => null;

    public override async Task SetConsumed()
    {
        // Context.Respond and the like add their message from tasks that nobody else awaits before the commit.
        await ConsumeCompleted;
        await dbContext.SaveOrRollBackAsync(CancellationToken);
        lock (_gate)
            _consumed = true;
        if (_rows.Count > 0)
            await OutboxRows.InsertAsync(dbContext, _rows, delivery.Lease, CancellationToken);
    }

    public override Task SetDelivered() => Task.CompletedTask;

    public override Task<List<OutboxMessageContext>> LoadOutboxMessages() => Task.FromResult(new List<OutboxMessageContext>());

    public override Task NotifyOutboxMessageDelivered(OutboxMessageContext message) => Task.CompletedTask;

    public override Task RemoveOutboxMessages() => Task.CompletedTask;

    public override Task AddSend<T>(SendContext<T> context)
    {
        AddRow(OutboxRows.Capture(context, time));
        return Task.CompletedTask;
    }

    public void AddRow(OutboxMessage row)
    {
        row.InboxMessageId = claim.MessageId;
        row.InboxConsumerId = claim.ConsumerId;
        lock (_gate)
        {
            if (_consumed)
                throw new InvalidOperationException($"The message {row.MessageId} for {row.DestinationAddress} was sent after the consumer of message {claim.MessageId} had ended: await every Publish and Send inside the consumer.");
            _rows.Add(row);
        }
    }

    public void OnCommitted(Action action)
    {
        lock (_gate)
            _committed.Add(action);
    }

    public void Committed()
    {
        foreach (var action in _committed)
            action();
    }
}
