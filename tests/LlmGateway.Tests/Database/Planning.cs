using Assay.LlmGateway.Engines;
using Assay.ServiceDefaults;
using Npgsql;

namespace Assay.LlmGateway.Database;

/// <summary>What PostgreSQL does with the ledger's tables before anybody has counted their rows, as on a first day.</summary>
[Trait("Needs", "Servers")]
public sealed class Planning
{
    sealed record Use(string Table, long SequentialScans, long Updates, long UpdatesInPlace);

    [Fact]
    public async Task Should_find_rows_by_their_keys_and_write_calls_in_place()
    {
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.PostgreSql, new TestEngine(concurrency: 64, prices: new EnginePrices { OutputUsdPerMTok = 1 }), ("LlmGateway:DailyCeilingUsd", "1000"));
        // What a service asks once, when it starts, may look at everything.
        await AuditAsync(gateway, 90);
        var before = await UntilCountedAsync(gateway.Database.ConnectionString, tries: 90);
        await AuditAsync(gateway, 180);
        await AuditAsync(gateway, 180);

        var after = await UntilCountedAsync(gateway.Database.ConnectionString, tries: 450);

        foreach (var table in after)
            table.SequentialScans.ShouldBe(before.Single(earlier => earlier.Table == table.Table).SequentialScans, table.Table);
        var calls = after.Single(table => table.Table == "paid_call");
        // An index that either of a call's two updates changes would leave half of them in place at most. A page is full where old versions may still be
        // seen by somebody: 4 to 12 in a hundred, 28 once on a starved machine.
        ((double)calls.UpdatesInPlace / calls.Updates).ShouldBeGreaterThan(0.6, $"{calls.UpdatesInPlace} of {calls.Updates}");
    }

    static async Task AuditAsync(GatewayHost gateway, int calls)
    {
        var request = Requests.Audit(Requests.Queries(calls));
        (await gateway.OpenAsync(Requests.Open(request))).ShouldNotBeNull();
        await Task.WhenAll(request.Queries!.Chunk(45).Select(queries => gateway.AskAsync(Requests.Ask(request, queries: queries))));
        await gateway.CloseAsync(request.AuditId);
    }

    /// <summary>Sessions tell what they did about a second later.</summary>
    static Task<IReadOnlyList<Use>> UntilCountedAsync(string database, int tries) => GatewayHost.EventuallyAsync(
        () => ReadAsync(database), uses => uses.Single(use => use.Table == "paid_call").Updates >= 2 * tries);

    static async Task<IReadOnlyList<Use>> ReadAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT relname::text, seq_scan, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname IN ('paid_call', 'paid_try', 'batch_call', 'batch', 'spending', 'audit_budget') ORDER BY 1", connection);
        await using var reader = await command.ExecuteReaderAsync();
        List<Use> uses = [];
        while (await reader.ReadAsync())
            uses.Add(new(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
        return uses;
    }
}
