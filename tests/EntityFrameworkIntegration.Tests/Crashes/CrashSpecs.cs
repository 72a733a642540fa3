using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace Assay.EntityFrameworkIntegration.Tests.Crashes;

/// <summary>A process is killed with SIGKILL at a marked step; another one goes on with the same database.</summary>
public abstract class When_a_process_is_killed
{
    protected abstract Task<OrderSurroundings> SurroundingsAsync();

    [Theory]
    [InlineData(CrashPoint.Committed)]
    [InlineData(CrashPoint.Sent)]
    public async Task Should_deliver_the_messages_of_a_committed_consumer_once(CrashPoint point)
    {
        var surroundings = await SurroundingsAsync();
        var order = NewId.NextGuid();
        await CrashHost.PublishAndKillAsync(surroundings, point, "place", order);

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        (await host.CountAsync("placed", order)).ShouldBe(1);
        Func<Task<int>> left = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync());
        await left.ShouldBecomeAsync(0, "rows left in the outbox");
        (await heard()).ShouldBe(1);
        (await host.CountAsync("placed", order)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_deliver_what_the_explicit_outbox_had_committed()
    {
        var surroundings = await SurroundingsAsync();
        var order = NewId.NextGuid();
        await CrashHost.PublishAndKillAsync(surroundings, CrashPoint.Committed, "place-through-outbox", order);

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        await heard.ShouldStayAsync(1, "effects of the response");
    }

    [Fact]
    public async Task Should_deliver_what_a_killed_sweeper_had_sent_once()
    {
        var surroundings = await SurroundingsAsync();
        var order = NewId.NextGuid();
        await CrashHost.PublishAndKillAsync(surroundings, CrashPoint.Sent, "sweep", order, consumes: false);

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        Func<Task<int>> left = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync());
        await left.ShouldBecomeAsync(0, "rows left in the outbox");
        (await heard()).ShouldBe(1);
        (await host.CountAsync("placed", order)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_deliver_a_timeout_that_became_due_while_everything_was_down()
    {
        var surroundings = await SurroundingsAsync();
        var order = NewId.NextGuid();
        await CrashHost.PublishAndKillAsync(surroundings, CrashPoint.None, "remind", order);

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<string?>> state = async () => (await host.FindOrderAsync(order))?.CurrentState;
        await state.ShouldBecomeAsync("Reminded", "state after the timeout");
        Func<Task<int>> left = () => host.InScopeAsync(database => database.Set<ScheduledMessageRow>().CountAsync());
        await left.ShouldBecomeAsync(0, "schedules left");
    }

    [Fact]
    public async Task Should_go_on_with_a_redelivery_that_was_scheduled()
    {
        var surroundings = await SurroundingsAsync();
        var order = NewId.NextGuid();
        await CrashHost.PublishAndKillAsync(surroundings, CrashPoint.None, "poison", order, redelivery: TimeSpan.FromSeconds(3));

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<int>> faulted = () => host.CountAsync("faulted", order);
        await faulted.ShouldBecomeAsync(1, "faults");
        host.Control.Attempts[order].ShouldBe(6, "two more deliveries of three attempts each");
        await faulted.ShouldStayAsync(1, "faults");
    }
}

public sealed class When_a_process_on_sqlite_is_killed : When_a_process_is_killed
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => Task.FromResult(OrderSurroundings.Embedded());
}

[Trait("Needs", "Servers")]
public sealed class When_a_process_on_postgres_and_rabbitmq_is_killed : When_a_process_is_killed
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => OrderSurroundings.DistributedAsync();

    [Fact]
    public async Task Should_consume_again_what_was_not_committed()
    {
        var surroundings = await SurroundingsAsync();
        var order = NewId.NextGuid();
        await CrashHost.PublishAndKillAsync(surroundings, CrashPoint.Consuming, "place", order);

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        (await host.CountAsync("placed", order)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_send_again_what_a_purge_took_from_the_queue()
    {
        var surroundings = await SurroundingsAsync();
        var rabbit = await PrivateRabbitMq.Shared;
        var order = NewId.NextGuid();
        // Declares the queues, then leaves them without a consumer.
        await using (await OrderHost.StartAsync(surroundings))
        {
        }

        await CrashHost.PublishAndKillAsync(surroundings, CrashPoint.Sent, "place-through-outbox", order, consumes: false);
        Func<Task<long?>> queued = () => rabbit.CountMessagesAsync(surroundings.VirtualHost!, "place-order");
        await queued.ShouldBecomeAsync(1, "messages in the queue");
        await rabbit.PurgeAsync(surroundings.VirtualHost!, "place-order");
        await queued.ShouldBecomeAsync(0, "messages in the queue after the purge");

        await using var host = await OrderHost.StartAsync(surroundings);

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
    }
}
