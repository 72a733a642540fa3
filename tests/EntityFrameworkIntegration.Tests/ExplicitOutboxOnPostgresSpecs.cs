using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests;

[Trait("Needs", "Servers")]
public sealed class When_a_caller_writes_with_npgsql_itself
{
    [Fact]
    public async Task Should_send_rows_inserted_by_the_callers_own_batch()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var host = await OrderHost.StartAsync(surroundings);
        var order = NewId.NextGuid();

        await host.WithOutboxAsync(async outbox =>
        {
            await outbox.Publish(new PlaceOrder { OrderId = order });
            var rows = outbox.TakeRows();
            await using var connection = new NpgsqlConnection(surroundings.Database);
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var batch = new NpgsqlBatch(connection, transaction);
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"INSERT INTO effect (\"Name\", \"OrderId\") VALUES ('asked', '{order}')"));
            foreach (var row in rows)
            {
                var command = new NpgsqlBatchCommand(OutboxSql.PostgresInsert);
                OutboxSql.PostgresValues(row, (type, value) => command.Parameters.Add(new NpgsqlParameter { DbType = type, Value = value ?? DBNull.Value }));
                batch.BatchCommands.Add(command);
            }

            await batch.ExecuteNonQueryAsync();
            await transaction.CommitAsync();
            outbox.NotifyCommitted(rows);
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response", TimeSpan.FromSeconds(10));
        Func<Task<int>> left = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync());
        await left.ShouldBecomeAsync(0, "rows left in the outbox");
        (await host.CountAsync("asked", order)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_write_into_a_transaction_that_the_context_is_enlisted_in()
    {
        await using var host = await OrderHost.StartAsync(await OrderSurroundings.DistributedAsync());
        var order = NewId.NextGuid();

        await host.WithOutboxAsync(async outbox =>
        {
            var connection = outbox.DbContext.Database.GetDbConnection();
            await outbox.DbContext.Database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await outbox.DbContext.Database.UseTransactionAsync(transaction);
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
            outbox.NotifyCommitted();
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
    }
}

[Trait("Needs", "Servers")]
public sealed class When_a_context_on_postgres_gives_its_connection_back
{
    [Fact]
    public async Task Should_roll_back_what_was_left_open_and_keep_its_timeouts()
    {
        await using var host = await OrderHost.StartAsync(await OrderSurroundings.DistributedAsync(), outbox => outbox.UseBusOutbox(bus => bus.DisableDeliveryService()), consumes: false);

        for (var i = 0; i < 5; i++)
        {
            await host.InScopeAsync(async database =>
            {
                // Neither committed, rolled back nor disposed: the scope takes it down.
                _ = await database.Database.BeginTransactionAsync();
                database.Effects.Add(new Effect { Name = "forgotten" });
                await database.SaveChangesAsync();
                return 0;
            });
        }

        (await host.InScopeAsync(database => database.Effects.CountAsync())).ShouldBe(0);
        var timeouts = await host.InScopeAsync(database => database.Database
            .SqlQueryRaw<string>("SELECT current_setting('lock_timeout') || ' ' || current_setting('idle_in_transaction_session_timeout') AS \"Value\"").SingleAsync());
        timeouts.ShouldBe("5s 5s");
    }
}
