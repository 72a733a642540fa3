using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Tests.Hosting;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Assay.Dashboard.Tests.Audits;

[Trait("Needs", "Servers")]
[Trait("Needs", "Shared")]
public sealed class SearchingManyAudits
{
    [Fact]
    public async Task Should_find_by_an_index_and_stop_counting_behind_the_page()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("search");
        var host = new DashboardHost { Postgres = database };
        await host.InitializeAsync();
        try
        {
            await FillAsync(database, 11_000);
            await using var scope = host.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            (await SearchIndex.IsMissingAsync(db, CancellationToken.None)).ShouldBeFalse();
            (await PlanAsync(database, "brand 4711")).ShouldContain("ix_audit_search_text");

            var reader = scope.ServiceProvider.GetRequiredService<AuditReader>();
            var few = await reader.ListAsync(new AuditFilter(Q: "Brand 4711"), 1, 50, CancellationToken.None);
            (few.Total, few.TotalIsAtLeast, few.Items[0].Brand).ShouldBe((1, false, "Brand 4711"));
            var many = await reader.ListAsync(new AuditFilter(Q: "brand"), 2, 50, CancellationToken.None);
            (many.Total, many.TotalIsAtLeast, many.Pages, many.Items.Count).ShouldBe((1_100, true, 22, 50));
            var last = await reader.ListAsync(new AuditFilter(Q: "brand"), 220, 50, CancellationToken.None);
            (last.Total, last.TotalIsAtLeast, last.Pages, last.Items.Count).ShouldBe((11_000, false, 220, 50));
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Should_start_and_search_without_the_extension_and_say_that_the_index_is_missing()
    {
        var server = await PrivatePostgres.Shared;
        var admin = await server.CreateDatabaseAsync("search");
        var user = $"u{Guid.NewGuid():N}"[..12];
        await DoAsync(admin, $"CREATE ROLE {user} LOGIN PASSWORD 'only here'; GRANT USAGE, CREATE ON SCHEMA public TO {user}");
        var host = new DashboardHost { Postgres = new NpgsqlConnectionStringBuilder(admin) { Username = user, Password = "only here" }.ToString() };
        await host.InitializeAsync();
        try
        {
            await FillAsync(admin, 100);
            await using var scope = host.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            (await SearchIndex.IsMissingAsync(db, CancellationToken.None)).ShouldBeTrue();
            (await scope.ServiceProvider.GetRequiredService<AuditReader>().ListAsync(new AuditFilter(Q: "brand 47"), 1, 50, CancellationToken.None)).Items.ShouldHaveSingleItem().Brand.ShouldBe("Brand 47");

            // What the warning says to run is what helps.
            foreach (var statement in SearchIndex.Remedy.Split(';', StringSplitOptions.RemoveEmptyEntries))
                await DoAsync(admin, statement);
            (await SearchIndex.IsMissingAsync(db, CancellationToken.None)).ShouldBeFalse();
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    static async Task<string> PlanAsync(string database, string words)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        // So few audits are read at once all the same; the question is whether the index can serve the query.
        await using (var off = new NpgsqlCommand("SET enable_seqscan = off", connection))
            await off.ExecuteNonQueryAsync();
        await using var command = new NpgsqlCommand("EXPLAIN SELECT audit_id FROM audit WHERE search_text LIKE $1 ORDER BY created_at DESC, audit_id DESC LIMIT 50", connection) { Parameters = { new() { Value = $"%{words}%" } } };
        await using var lines = await command.ExecuteReaderAsync();
        var plan = "";
        while (await lines.ReadAsync())
            plan += lines.GetString(0) + "\n";
        return plan;
    }

    static async Task FillAsync(string database, int audits)
    {
        await DoAsync(database, $"""
            INSERT INTO audit (audit_id, status, attempt, created_at, request_attempt, brand, kind, search_text, depth, ceiling_micro_usd, accepted_attempt, ended_at, planned_calls, worst_case_micro_usd, decisions, state_sequence, ended_attempt,
                progress_attempt, completed_calls, fraction, budget_version, reserved_micro_usd, spent_micro_usd, in_doubt_micro_usd, overrun_micro_usd, calls, paid_tries, in_doubt, reused, budget_final, score_attempt, simulated, report_attempt, version, updated_at)
            SELECT gen_random_uuid(), 'Completed', 1, now() - interval '1 minute' * n, 1, 'Brand ' || n, 'brand', 'brand ' || n || ' brand' || n || '.com', 0, 0, 1, now(), 0, 0, 1, 6, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, true, 0, true, 0, 1, now()
            FROM generate_series(1, {audits}) n
            """);
        await DoAsync(database, "VACUUM ANALYZE audit");
    }

    static async Task DoAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
