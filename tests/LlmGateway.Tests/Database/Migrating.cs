using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Assay.LlmGateway.Database;

[Trait("Needs", "Servers")]
public sealed class Migrating
{
    [Fact]
    public async Task Should_migrate_an_empty_database_once()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("at_once");

        // Found by tests/Chaos: the second of two instances read that migrations were missing, waited, and applied them once more.
        await Should.NotThrowAsync(Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => MigrateAsync(database)))));
    }

    [Fact]
    public async Task Should_call_nothing_an_error_when_it_starts_for_the_first_time()
    {
        var log = new LogLines();

        await MigrateAsync(await (await PrivatePostgres.Shared).CreateDatabaseAsync("first"), log);

        log.Contain("Migrated the database").ShouldBeTrue();
        log.Lines.ShouldAllBe(line => !line.Contains(" Error: ") && !line.Contains(" Warning: "));
    }

    [Fact]
    public async Task Should_have_long_texts_compressed_by_lz4()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("compressed");

        await MigrateAsync(database);

        (await MethodsAsync(database, "paid_call")).ShouldBe(["l"]);
        (await MethodsAsync(database, "\"OutboxMessage\"")).ShouldBe(["l"]);
        // A column that has a method keeps it.
        await ExecuteAsync(database, "ALTER TABLE paid_call ALTER COLUMN text SET COMPRESSION pglz");
        await MigrateAsync(database);
        (await MethodsAsync(database, "paid_call")).ShouldBe(["l", "p"]);
    }

    [Fact]
    public async Task Should_start_beside_somebody_who_works_with_a_table()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("compressed");
        await MigrateAsync(database);
        await ExecuteAsync(database, "ALTER TABLE paid_call ALTER COLUMN text SET COMPRESSION default");
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE paid_call IN ROW EXCLUSIVE MODE", connection, transaction))
            await command.ExecuteNonQueryAsync();

        await Should.NotThrowAsync(MigrateAsync(database));

        await transaction.RollbackAsync();
        await MigrateAsync(database);
        (await MethodsAsync(database, "paid_call")).ShouldBe(["l"]);
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_find_what_was_on_the_wire_before_tries_were_in_their_calls(DatabaseProvider provider)
    {
        var database = provider == DatabaseProvider.Sqlite ? GatewayHost.NewSqlite() : await GatewayHost.NewPostgresAsync();
        var builder = WebApplication.CreateBuilder();
        new LlmGatewayModule().AddServices(builder, database);
        await using var app = builder.Build();
        await using var scope = app.Services.CreateAsyncScope();
        var ledger = scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>();
        await ledger.GetService<IMigrator>().MigrateAsync("FewerIndexesOfCalls");
        var (audit, owner, sending, answered) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var sent = new DateTime(2026, 11, 28, 10, 0, 0, DateTimeKind.Utc);
        foreach (var (key, id, state) in (ReadOnlySpan<(string, Guid, string)>)[("on the wire", sending, "Sending"), ("decided", answered, "Answered")])
        {
            ledger.Database.ExecuteSql($"""
                INSERT INTO paid_call (call_key, audit_id, attempt, purpose, engine, model, run, request_json, worst_case_micro_usd, token_bound, state, owner, try_id, reserved_micro_usd, spent_micro_usd,
                    tries, invalid_tries, paid_tries, permitted_attempt, deadline_at, planned_at, position, cache_hit, text_hash, answered_at)
                VALUES ({key}, {audit}, 1, 'answer', 'test', 'test-1', 1, 'null', 1000, 10, {state}, {(state == "Sending" ? owner : (Guid?)null)}, {id}, {(state == "Sending" ? 1000 : 0)}, {(state == "Sending" ? 0 : 105)},
                    1, 0, 0, 0, {sent}, {sent}, 0, {false}, 'hash', {sent})
                """);
            ledger.Database.ExecuteSql($"""
                INSERT INTO paid_try (try_id, call_key, audit_id, attempt, owner, number, engine, permitted, state, reserved_micro_usd, spent_micro_usd, day, sent_at, ended_at, spent_before_micro_usd)
                VALUES ({id}, {key}, {audit}, 1, {owner}, 1, 'test', 0, {state}, 1000, {(state == "Sending" ? 0 : 105)}, '2026-11-28', {sent}, {(state == "Sending" ? (DateTime?)null : sent)}, 0)
                """);
        }

        await ledger.Database.MigrateAsync();

        var call = await ledger.PaidCalls.AsNoTracking().SingleAsync(one => one.TryId == sending);
        (call.SentAt, call.SentBy, call.Day).ShouldBe((sent, owner, "2026-11-28"));
        var tries = await ledger.PaidTries.AsNoTracking().OrderBy(attempt => attempt.State).ToListAsync();
        tries.Select(attempt => (attempt.TryId, attempt.State, attempt.Owner, attempt.ReservedMicroUsd, attempt.SpentMicroUsd, attempt.SentAt)).ShouldBe([(answered, "Answered", owner, 1000, 105, sent), (sending, "Sending", owner, 1000, 0, sent)]);

        // And back, for whoever has to.
        await ledger.GetService<IMigrator>().MigrateAsync("FewerIndexesOfCalls");
        (await ledger.Database.SqlQuery<string>($"SELECT state AS \"Value\" FROM paid_try ORDER BY state").ToListAsync()).ShouldBe(["Answered", "Sending"]);
    }

    static async Task MigrateAsync(string database, LogLines? log = null)
    {
        var builder = WebApplication.CreateBuilder();
        if (log is not null)
            builder.Logging.AddProvider(log);
        new LlmGatewayModule().AddServices(builder, AssayDatabase.PostgreSql(database));
        await using var app = builder.Build();
        await app.PrepareAsync([], CancellationToken.None);
    }

    static async Task ExecuteAsync(string database, string text)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(text);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The compression methods of a table's text columns.</summary>
    static async Task<List<string>> MethodsAsync(string database, string table)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand($"SELECT DISTINCT attcompression::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND atttypid = 'text'::regtype ORDER BY 1");
        await using var reader = await command.ExecuteReaderAsync();
        List<string> methods = [];
        while (await reader.ReadAsync())
            methods.Add(reader.GetString(0));
        return methods;
    }
}
