using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.AspNetCore.Builder;
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
