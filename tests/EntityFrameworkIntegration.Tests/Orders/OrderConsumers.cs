using System.Collections.Concurrent;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;

namespace Assay.EntityFrameworkIntegration.Tests.Orders;

/// <summary>Lets a test decide what consumers do.</summary>
public sealed class ConsumerSwitch
{
    public ConcurrentDictionary<Guid, int> Attempts { get; } = new();
    public Func<Guid, int, Task> OnPlaceOrder { get; set; } = (_, _) => Task.CompletedTask;
}

public sealed class PlaceOrderConsumer(OrderDbContext database, ConsumerSwitch control) : IConsumer<PlaceOrder>
{
    public async Task Consume(ConsumeContext<PlaceOrder> context)
    {
        database.Effects.Add(new Effect { Name = "placed", OrderId = context.Message.OrderId });
        await context.Publish(new OrderPlaced { OrderId = context.Message.OrderId }, context.CancellationToken);
        await control.OnPlaceOrder(context.Message.OrderId, control.Attempts.AddOrUpdate(context.Message.OrderId, 1, (_, n) => n + 1));
    }
}

public sealed class OrderPlacedConsumer(OrderDbContext database) : IConsumer<OrderPlaced>
{
    public Task Consume(ConsumeContext<OrderPlaced> context)
    {
        database.Effects.Add(new Effect { Name = "heard", OrderId = context.Message.OrderId });
        return Task.CompletedTask;
    }
}

public sealed class PoisonConsumer(OrderDbContext database, ConsumerSwitch control) : IConsumer<Poison>
{
    public Task Consume(ConsumeContext<Poison> context)
    {
        control.Attempts.AddOrUpdate(context.Message.OrderId, 1, (_, n) => n + 1);
        database.Effects.Add(new Effect { Name = "poisoned", OrderId = context.Message.OrderId });
        throw new InvalidOperationException($"Order {context.Message.OrderId} is poison.");
    }
}

public sealed class InnerOutboxConsumer(IDbContextOutbox<OrderDbContext> outbox, ConsumerSwitch control) : IConsumer<Inner>
{
    public async Task Consume(ConsumeContext<Inner> context)
    {
        await outbox.Publish(new OrderPlaced { OrderId = context.Message.OrderId }, context.CancellationToken);
        if (control.Attempts.AddOrUpdate(context.Message.OrderId, 1, (_, n) => n + 1) == 1)
            throw new InvalidOperationException("The first attempt fails after it has published.");
    }
}

public sealed class QuoteConsumer(OrderDbContext database) : IConsumer<QuoteOrder>
{
    public Task Consume(ConsumeContext<QuoteOrder> context)
    {
        database.Effects.Add(new Effect { Name = "quoted", OrderId = context.Message.OrderId });
        return context.RespondAsync(new OrderPlaced { OrderId = context.Message.OrderId });
    }
}

/// <summary>What arrived of an envelope.</summary>
public sealed class EnvelopeBox
{
    public TaskCompletionSource<(Guid? Message, Guid? Correlation, Guid? Conversation, string? Tenant, bool Expires)> Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

public sealed class EnvelopeConsumer(EnvelopeBox box) : IConsumer<Envelope>
{
    public Task Consume(ConsumeContext<Envelope> context)
    {
        box.Arrived.TrySetResult((context.MessageId, context.CorrelationId, context.ConversationId, context.Headers.Get<string>("Tenant"), context.ExpirationTime > DateTime.UtcNow));
        return Task.CompletedTask;
    }
}

public sealed class PoisonFaultConsumer(OrderDbContext database) : IConsumer<Fault<Poison>>
{
    public Task Consume(ConsumeContext<Fault<Poison>> context)
    {
        database.Effects.Add(new Effect { Name = "faulted", OrderId = context.Message.Message.OrderId });
        return Task.CompletedTask;
    }
}

public sealed class OrderStateMachine : MassTransitStateMachine<OrderState>
{
    public OrderStateMachine()
    {
        InstanceState(order => order.CurrentState);
        Event(() => Started, e => e.CorrelateById(context => context.Message.OrderId));
        Event(() => Counted, e =>
        {
            e.CorrelateById(context => context.Message.OrderId);
            e.InsertOnInitial = false;
        });
        Event(() => Stopped, e => e.CorrelateById(context => context.Message.OrderId));
        Schedule(() => Reminder, order => order.ReminderTokenId, s => s.Received = e => e.CorrelateById(context => context.Message.OrderId));

        Initially(
            When(Started)
                .IfElse(context => context.Message.RemindAfter is not null,
                    remind => remind.Schedule(Reminder, context => new OrderReminder { OrderId = context.Saga.CorrelationId }, context => context.Message.RemindAfter!.Value),
                    quiet => quiet)
                .TransitionTo(Running),
            When(Counted).Then(context => context.Saga.Counted++).TransitionTo(Running));
        During(Running,
            Ignore(Started),
            When(Counted).Then(context => context.Saga.Counted++)
                .If(context => context.Message.Announce, announce => announce.Publish(context => new OrderPlaced { OrderId = context.Saga.CorrelationId })),
            When(Stopped)
                .If(context => context.Message.ScheduleFirst, binder => binder.Schedule(Reminder, context => new OrderReminder { OrderId = context.Saga.CorrelationId }, _ => TimeSpan.FromMilliseconds(1)))
                .Unschedule(Reminder)
                .Publish(context => new OrderPlaced { OrderId = context.Saga.CorrelationId }),
            When(Reminder!.Received).TransitionTo(Reminded));
        During(Reminded, Ignore(Stopped), Ignore(Started), When(Counted).Then(context => context.Saga.Counted++));
    }

    public State Running { get; private set; } = null!;
    public State Reminded { get; private set; } = null!;
    public Event<StartOrder> Started { get; private set; } = null!;
    public Event<CountOrder> Counted { get; private set; } = null!;
    public Event<StopReminding> Stopped { get; private set; } = null!;
    public Schedule<OrderState, OrderReminder> Reminder { get; private set; } = null!;
}
