using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Xunit.Abstractions;

namespace Assay.EntityFrameworkIntegration.Tests;

[Trait("Needs", "Servers")]
public sealed class When_several_instances_share_servers_that_restart(ITestOutputHelper output)
{
    [Fact]
    public async Task Should_send_each_left_over_row_once_when_two_instances_sweep()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        var orders = Enumerable.Range(0, 1_000).Select(_ => NewId.NextGuid()).ToList();
        await using (var writer = await OrderHost.StartAsync(surroundings, outbox => outbox.UseBusOutbox(bus => bus.DisableDeliveryService())))
        {
            await writer.WithOutboxAsync(async outbox =>
            {
                await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
                foreach (var order in orders)
                    await outbox.Publish(new OrderPlaced { OrderId = order });
                await outbox.SaveChangesAsync();
                await outbox.DbContext.Set<OutboxMessage>().ExecuteUpdateAsync(set => set.SetProperty(row => row.NextTryAt, DateTime.UtcNow.AddSeconds(3)));
                await transaction.CommitAsync();
            });
        }

        await using var one = await OrderHost.StartAsync(surroundings, outbox => outbox.QueryMessageLimit = 50);
        await using var two = await OrderHost.StartAsync(surroundings, outbox => outbox.QueryMessageLimit = 50);

        Func<Task<int>> heard = () => one.InScopeAsync(database => database.Effects.CountAsync(effect => effect.Name == "heard"));
        await heard.ShouldBecomeAsync(1_000, "effects");
        (await one.InScopeAsync(database => database.Set<InboxState>().SumAsync(inbox => inbox.ReceiveCount))).ShouldBe(1_000, "deliveries: no row was sent twice");
        Func<Task<int>> left = () => one.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync());
        await left.ShouldBecomeAsync(0, "rows left in the outbox");
    }

    [Fact]
    public async Task Should_count_all_messages_for_one_saga_across_two_instances()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var one = await OrderHost.StartAsync(surroundings);
        await using var two = await OrderHost.StartAsync(surroundings);
        var order = NewId.NextGuid();

        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => one.Bus.Publish(new CountOrder { OrderId = order, Number = number })));

        Func<Task<int>> counted = async () => (await one.FindOrderAsync(order))?.Counted ?? 0;
        await counted.ShouldBecomeAsync(200, "counted messages");
        await counted.ShouldStayAsync(200, "counted messages");
    }

    [Fact]
    public async Task Should_lose_and_double_nothing_when_the_broker_is_killed_and_started_again()
    {
        var postgres = await PrivatePostgres.Shared;
        await using var rabbit = await PrivateRabbitMq.StartAsync();
        var surroundings = new OrderSurroundings(await postgres.CreateDatabaseAsync("orders"), IsPostgres: true, "/", rabbit.Port);
        Func<Task<OrderHost>> start = () => OrderHost.StartAsync(surroundings, outbox => outbox.MessageDeliveryTimeout = TimeSpan.FromSeconds(2));
        var host = await start();
        Func<Task<int>> heard = () => host.InScopeAsync(database => database.Effects.Where(effect => effect.Name == "heard").Select(effect => effect.OrderId).Distinct().CountAsync());
        // A broker killed right after it declared a quorum queue may come back without a leader for it: each queue has carried one order before.
        await host.Bus.Publish(new PlaceOrder { OrderId = NewId.NextGuid() });
        await heard.ShouldBecomeAsync(1, "orders heard of while the broker is well");
        await Task.Delay(TimeSpan.FromSeconds(4));
        var orders = Enumerable.Range(0, 60).Select(_ => NewId.NextGuid()).ToList();

        foreach (var (order, index) in orders.Select((order, index) => (order, index)))
        {
            if (index == 30)
                await rabbit.KillAsync();
            await host.WithOutboxAsync(async outbox =>
            {
                await outbox.Publish(new PlaceOrder { OrderId = order });
                await outbox.SaveChangesAsync();
            });
        }

        await rabbit.StartBrokerAsync();

        Func<Task<int>> left = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync());
        // A host whose connection is dead unnoticed ends; its supervisor are we.
        List<string> ended = [];
        Func<Task<int>> heardWhoeverRuns = async () =>
        {
            if (host.IsStopping)
            {
                ended.Add(host.Describe());
                output.WriteLine($"A host was started anew. {ended[^1]}");
                await host.DisposeAsync();
                Environment.ExitCode = 0;
                host = await start();
            }

            return await heard();
        };
        try
        {
            await heardWhoeverRuns.ShouldBecomeAsync(61, "orders heard of", TimeSpan.FromSeconds(300));
            await left.ShouldBecomeAsync(0, "rows left in the outbox", TimeSpan.FromSeconds(60));
            (await host.InScopeAsync(database => database.Effects.CountAsync())).ShouldBe(122, "one effect of each command and each response");
        }
        catch (Exception exception) when (exception is not ShouldAssertException && ended.Count > 0)
        {
            throw new InvalidOperationException($"A host that ended could not be started anew: {exception.Message}\n{string.Join("\n\n", ended)}", exception);
        }
        catch (ShouldAssertException exception)
        {
            var placed = await host.InScopeAsync(database => database.Effects.CountAsync(effect => effect.Name == "placed"));
            var queues = string.Join(", ", (await rabbit.CountMessagesAsync("/")).Select(queue => $"{queue.Key} {queue.Value}"));
            throw new ShouldAssertException($"{exception.Message}\n{placed} orders placed, {await left()} rows in the outbox; the broker holds: {queues}. {host.Describe()}\nThe broker said:\n{string.Join('\n', rabbit.Log.TakeLast(20))}\nBefore:\n{string.Join("\n\n", ended)}", exception);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Should_lose_and_double_nothing_when_the_database_is_killed_and_started_again()
    {
        await using var postgres = await PrivatePostgres.StartAsync(fsync: true);
        var rabbit = await PrivateRabbitMq.Shared;
        var surroundings = new OrderSurroundings(await postgres.CreateDatabaseAsync("orders"), IsPostgres: true, await rabbit.CreateVirtualHostAsync("orders"), rabbit.Port);
        await using var host = await OrderHost.StartAsync(surroundings, redelivery: TimeSpan.FromSeconds(5));
        var orders = Enumerable.Range(0, 100).Select(_ => NewId.NextGuid()).ToList();

        foreach (var order in orders.Take(50))
            await host.Bus.Publish(new PlaceOrder { OrderId = order });
        await postgres.KillAsync();
        await postgres.StartServerAsync();
        foreach (var order in orders.Skip(50))
            await host.Bus.Publish(new PlaceOrder { OrderId = order });

        Func<Task<int>> heard = async () =>
        {
            try
            {
                return await host.InScopeAsync(database => database.Effects.Where(effect => effect.Name == "heard").Select(effect => effect.OrderId).Distinct().CountAsync());
            }
            catch (Exception exception) when (exception is Npgsql.NpgsqlException or InvalidOperationException)
            {
                // Pooled connections to the killed server fail once each.
                return -1;
            }
        };
        await heard.ShouldBecomeAsync(100, "orders heard of", TimeSpan.FromSeconds(60));
        (await host.InScopeAsync(database => database.Effects.CountAsync())).ShouldBe(200, "one effect of each command and each response");
    }
}

[Trait("Needs", "Servers")]
public sealed class When_a_message_loads_a_saga_on_postgres
{
    [Fact]
    public async Task Should_lock_its_row_until_the_transaction_ends()
    {
        await using var host = await OrderHost.StartAsync(await OrderSurroundings.DistributedAsync(), consumes: false);
        var order = NewId.NextGuid();
        await host.InScopeAsync(database =>
        {
            database.Add(new OrderState { CorrelationId = order, CurrentState = "Running" });
            return database.SaveChangesAsync();
        });
        Func<Task<int>> free = () => host.InScopeAsync(async database => (await database.Database
            .SqlQueryRaw<int>("SELECT 1 AS \"Value\" FROM order_state WHERE \"CorrelationId\" = {0} FOR UPDATE SKIP LOCKED", order).ToListAsync()).Count);

        await host.InScopeAsync(async database =>
        {
            await using var transaction = await database.Database.BeginTransactionAsync();
            var find = SagaQueries<OrderDbContext, OrderState>.ById(database, locks: true).ShouldNotBeNull("a saga of one table, on UseAssayPostgres");
            (await find(database, order, CancellationToken.None)).ShouldNotBeNull();

            (await free()).ShouldBe(0, "rows that nobody has locked");
            return 0;
        });

        (await free()).ShouldBe(1, "rows that nobody has locked, after the transaction");
    }
}

[Trait("Needs", "Servers")]
public sealed class When_a_broker_takes_shorter_messages_than_the_outbox_believes
{
    [Fact]
    public async Task Should_park_the_one_that_is_too_long_and_no_other()
    {
        await using var broker = await PrivateRabbitMq.StartAsync(settings: "max_message_size = 65536\n");
        var surroundings = (await OrderSurroundings.DistributedAsync()) with { VirtualHost = await broker.CreateVirtualHostAsync("short"), RabbitPort = broker.Port };
        await using var host = await OrderHost.StartAsync(surroundings, outbox => outbox.MaxDeliveryTries = 3);
        var tooLong = NewId.NextGuid();
        var orders = Enumerable.Range(0, 20).Select(_ => NewId.NextGuid()).ToList();

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            foreach (var order in orders.Take(10))
                await outbox.Publish(new OrderPlaced { OrderId = order });
            await outbox.Publish(new OrderPlaced { OrderId = tooLong }, context => context.MessageId = tooLong);
            foreach (var order in orders.Skip(10))
                await outbox.Publish(new OrderPlaced { OrderId = order });
            await outbox.SaveChangesAsync();
            var body = $$"""{"messageType":["urn:message:A:B"],"message":{},"more":"{{new string('x', 100_000)}}"}""";
            await outbox.DbContext.Set<OutboxMessage>().Where(row => row.MessageId == tooLong).ExecuteUpdateAsync(set => set.SetProperty(row => row.Body, body));
            await transaction.CommitAsync();
        });

        Func<Task<int>> heard = () => host.InScopeAsync(database => database.Effects.CountAsync(effect => effect.Name == "heard"));
        await heard.ShouldBecomeAsync(orders.Count, "effects of the others", TimeSpan.FromSeconds(60));
        Func<Task<string>> left = () => host.InScopeAsync(async database =>
            string.Join(", ", (await database.Set<OutboxMessage>().ToListAsync()).Select(row => $"{row.MessageId} {(row.ParkedAt is null ? $"tried {row.Tries} times" : "parked")}{(row.MessageId == tooLong ? "" : $": {row.LastError}")}")));
        await left.ShouldBecomeAsync($"{tooLong} parked", "rows left", TimeSpan.FromSeconds(90));
        await heard.ShouldStayAsync(orders.Count, "effects of the others");
    }
}
