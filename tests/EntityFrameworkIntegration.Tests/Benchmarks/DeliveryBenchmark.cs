using System.Collections.Concurrent;
using System.Diagnostics;
using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests.Benchmarks;

/// <summary>The speed of the integration on RabbitMQ quorum queues and PostgreSQL with fsync on; run on demand, not a test.</summary>
internal static class DeliveryBenchmark
{
    private const int Million = 1_000_000;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(12);

    public static async Task<int> RunAsync()
    {
        await using var postgres = await PrivatePostgres.StartAsync(fsync: true);
        await IdleBenchmark.CountStatementsAsync(postgres);
        await using var rabbit = await PrivateRabbitMq.StartAsync();
        var surroundings = new OrderSurroundings(await postgres.CreateDatabaseAsync("orders"), IsPostgres: true, "/", rabbit.Port);
        var arrivals = new ConcurrentDictionary<Guid, TaskCompletionSource<long>>();
        await using var host = await OrderHost.StartAsync(surroundings, services: services => services.AddSingleton(arrivals),
            configure: bus => bus.AddConsumer<ArrivalConsumer>());

        await SagasAsync(host, "warm-up", sagas: 5, messages: 20);
        await SagasAsync(host, "20 sagas x 50 messages, each publishing one", sagas: 20, messages: 50);
        await SagasAsync(host, "fan-in of 200 messages into one saga", sagas: 1, messages: 200);
        await LatencyAsync(host, arrivals, "latency, commit to consume");
        await DeliveryAsync(host, "delivery of 10 000 pending rows");
        await IdleAsync(postgres, surroundings, "idle");

        await FillAsync(host);
        await LatencyAsync(host, arrivals, "latency with 1 M parked rows and 1 M consumed messages");
        await DeliveryAsync(host, "delivery of 10 000 pending rows with them");
        await SagasAsync(host, "20 sagas x 50 messages with them", sagas: 20, messages: 50);
        await IdleAsync(postgres, surroundings, "idle with them");
        return 0;
    }

    public static async Task SagasAsync(OrderHost host, string name, int sagas, int messages)
    {
        var orders = Enumerable.Range(0, sagas).Select(_ => NewId.NextGuid()).ToList();
        foreach (var order in orders)
            await host.Bus.Publish(new StartOrder { OrderId = order });
        Func<Task<int>> started = () => host.InScopeAsync(database => database.Orders.CountAsync(order => orders.Contains(order.CorrelationId)));
        await started.ShouldBecomeAsync(sagas, "started sagas");

        var before = await WritesAsync(host);
        var measure = new Measure();
        await Task.WhenAll(Enumerable.Range(0, messages).SelectMany(number => orders.Select(order => host.Bus.Publish(new CountOrder { OrderId = order, Number = number, Announce = true }))));
        Func<Task<int>> heard = () => host.InScopeAsync(database => database.Effects.CountAsync(effect => effect.Name == "heard" && orders.Contains(effect.OrderId)));
        await heard.ShouldBecomeAsync(sagas * messages, "announcements", TimeSpan.FromSeconds(120));
        // Every message is consumed twice: by its saga, and its announcement by a consumer.
        var consumed = 2 * sagas * messages;
        var (seconds, cpu, postgres) = measure.Stop();
        await Task.Delay(TimeSpan.FromSeconds(0.5));
        Print(name, $"{consumed / seconds,8:0} messages/s  {cpu / consumed,6:0.00} CPU ms per message (and {postgres / consumed:0.00} of PostgreSQL)  {(await WritesAsync(host) - before) / (double)consumed:0.00} commits per message");
    }

    private static async Task LatencyAsync(OrderHost host, ConcurrentDictionary<Guid, TaskCompletionSource<long>> arrivals, string name)
    {
        var samples = new List<double>();
        for (var i = 0; i < 220; i++)
        {
            var id = NewId.NextGuid();
            var arrival = arrivals[id] = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            long committed = 0;
            await host.WithOutboxAsync(async outbox =>
            {
                await outbox.Publish(new Arrival { OrderId = id });
                await outbox.SaveChangesAsync();
                committed = Stopwatch.GetTimestamp();
            });
            samples.Add(Stopwatch.GetElapsedTime(committed, await arrival.Task.WaitAsync(TimeSpan.FromSeconds(10))).TotalMilliseconds);
            await Task.Delay(10);
        }

        samples = [.. samples.Skip(20).Order()];
        Print(name, $"p50 {samples[samples.Count / 2]:0.0} ms  p99 {samples[(int)(samples.Count * 0.99)]:0.0} ms");
    }

    private static async Task DeliveryAsync(OrderHost host, string name)
    {
        const int rows = 10_000;
        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            for (var i = 0; i < rows; i++)
                await outbox.Send(new Uri("exchange:benchmark-sink"), new OrderPlaced { OrderId = Guid.Empty });
            await outbox.SaveChangesAsync();
            await outbox.DbContext.Set<OutboxMessage>().Where(row => row.ParkedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.NextTryAt, DateTime.UtcNow));
            await transaction.CommitAsync();
        });
        // As after a release by hand; else the sweeper's next look, some seconds away, would be measured.
        var measure = new Measure();
        await host.InScopeAsync(database => database.Database.ExecuteSqlRawAsync("NOTIFY assay_outbox"));
        Func<Task<bool>> isEmpty = () => host.InScopeAsync(async database => !await database.Set<OutboxMessage>().AnyAsync(row => row.ParkedAt == null));
        await isEmpty.ShouldBecomeAsync(true, "an empty outbox", TimeSpan.FromSeconds(120));
        var (seconds, cpu, postgres) = measure.Stop();
        Print(name, $"{rows / seconds,8:0} rows/s  {cpu / rows,6:0.00} CPU ms per row (and {postgres / rows:0.00} of PostgreSQL)");
    }

    private static async Task IdleAsync(PrivatePostgres postgres, OrderSurroundings surroundings, string name)
    {
        // A session tells the server's statistics of its last transactions only when it has been idle for ten seconds: without this pause
        // the work before would be counted as idling.
        await Task.Delay(TimeSpan.FromSeconds(11));
        var database = new NpgsqlConnectionStringBuilder(surroundings.Database).Database!;
        var before = await CountAsync(postgres, database);
        await Task.Delay(Idle);
        var after = await CountAsync(postgres, database);
        Print(name, $"{(after.Statements - before.Statements) / Idle.TotalSeconds:0.0} statements/s  {(after.Transactions - before.Transactions) / Idle.TotalSeconds:0.0} transactions/s, the server's own maintenance included");
    }

    /// <summary>Asked in the maintenance database, so that asking is not counted.</summary>
    private static async Task<(long Statements, long Transactions)> CountAsync(PrivatePostgres postgres, string database)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT coalesce((SELECT sum(calls) FROM pg_stat_statements WHERE dbid = oid), 0)::bigint, pg_stat_get_db_xact_commit(oid) FROM pg_database WHERE datname = $1", connection) { Parameters = { new() { Value = database } } };
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    private static async Task FillAsync(OrderHost host)
    {
        await host.InScopeAsync(async database =>
        {
            database.Database.SetCommandTimeout(TimeSpan.FromMinutes(5));
            await database.Database.ExecuteSqlRawAsync($"""
                INSERT INTO "OutboxMessage" ("SentTime","MessageId","ContentType","MessageType","Body","DestinationAddress","NextTryAt","Tries","ParkedAt")
                SELECT now(), gen_random_uuid(), 'application/json', 'urn:message:none', repeat('x', 200), 'exchange:nowhere', now(), 20, now() FROM generate_series(1, {Million})
                """);
            await database.Database.ExecuteSqlRawAsync($"""
                INSERT INTO "InboxState" ("MessageId","ConsumerId","LockId","Received","ReceiveCount","Consumed","Delivered")
                SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(), 1, now(), now() FROM generate_series(1, {Million})
                """);
            await database.Database.ExecuteSqlRawAsync("VACUUM ANALYZE");
            return 0;
        });
    }

    /// <summary>Transactions that wrote: each is a commit the disk waits for. Reads, this harness's polls among them, take no id.</summary>
    private static Task<long> WritesAsync(OrderHost host) => host.InScopeAsync(database =>
        database.Database.SqlQueryRaw<long>("SELECT txid_snapshot_xmax(txid_current_snapshot()) AS \"Value\"").SingleAsync());

    private static void Print(string name, string result) => Console.WriteLine($"{name,-56} {result}");
}

/// <summary>Says when it arrives.</summary>
public sealed record Arrival
{
    public required Guid OrderId { get; init; }
}

internal sealed class ArrivalConsumer(ConcurrentDictionary<Guid, TaskCompletionSource<long>> arrivals) : IConsumer<Arrival>
{
    public Task Consume(ConsumeContext<Arrival> context)
    {
        if (arrivals.TryRemove(context.Message.OrderId, out var arrival))
            arrival.TrySetResult(Stopwatch.GetTimestamp());
        return Task.CompletedTask;
    }
}
