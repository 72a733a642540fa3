using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.TestServers;
using Npgsql;
using Xunit.Abstractions;

namespace Assay.EndToEnd;

/// <summary>
/// The regression guard: an audit of the audit-180 work (45 queries on 4 engines, then the advisor) through the real four services, counted by
/// the servers themselves. Only what a slow machine does not change is held: transactions, statements, messages, bytes of the log.
/// </summary>
[Trait("Needs", "Servers")]
public sealed class WhatAnAuditCosts(ITestOutputHelper output)
{
    const int Audits = 2;

    /// <summary>How long the services are watched while nothing is asked of them; an audit's last messages are through by then too.</summary>
    static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    static readonly string[] Engines = ["one", "two", "three", "four"];

    sealed record Statement(string Service, string Text, double Calls);

    sealed record Count(DateTime At, IReadOnlyList<Statement> Statements, double Messages, double WalKilobytes)
    {
        public double CommitsOf(string service) => Statements.Where(one => one.Service == service && one.Text.StartsWith("commit", StringComparison.OrdinalIgnoreCase)).Sum(one => one.Calls);
        public double StatementsOf(string service) => Statements.Where(one => one.Service == service).Sum(one => one.Calls);
    }

    [Fact]
    public async Task Should_stay_below_the_bounds()
    {
        await using var postgres = await PrivatePostgres.StartAsync(countStatements: true);
        var broker = await PrivateRabbitMq.Shared;
        var settings = Engines.Append("advisor").ToDictionary(engine => $"Engines__{engine}__Kind", _ => "scripted", StringComparer.Ordinal);
        await using var services = await AssayServices.StartAsync(postgres, broker, settings);
        await using var counts = new NpgsqlConnection(postgres.AdminConnectionString);
        await counts.OpenAsync();
        await using (var create = new NpgsqlCommand("CREATE EXTENSION pg_stat_statements", counts))
            await create.ExecuteNonQueryAsync();
        using var client = new HttpClient { BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", services.OperatorKey);

        // The first audit declares queues, prepares statements and fills pools; what the services do while nothing is asked of them is taken off.
        await AuditAsync(client, services, "Warm");
        await Task.Delay(Idle);
        var idleFrom = await ReadAsync(services, counts);
        await Task.Delay(Idle);
        var before = await ReadAsync(services, counts);
        var looks = 0;
        for (var number = 0; number < Audits; number++)
            looks += await AuditAsync(client, services, $"Brand{number.ToString(CultureInfo.InvariantCulture)}");
        await Task.Delay(Idle);
        var after = await ReadAsync(services, counts);

        var idle = (before.At - idleFrom.At).TotalSeconds;
        var busy = (after.At - before.At).TotalSeconds;
        double Each(double first, double second, double third) => Math.Round((third - second - (second - first) * busy / idle) / Audits, 1);
        List<string> dearer = [];
        void Hold(string what, double cost, double bound)
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{what}: {cost:0.#} an audit, at most {bound:0.#}");
            output.WriteLine(line);
            if (cost > bound)
                dearer.Add(line);
        }

        foreach (var (service, bound) in CostOfAnAudit.Databases)
        {
            // The test's own looks at the saga's table are no cost of an audit.
            var own = service == "AuditSaga" ? looks : 0;
            Hold($"{service}: commits", Each(idleFrom.CommitsOf(service), before.CommitsOf(service), after.CommitsOf(service)), bound.Commits);
            Hold($"{service}: statements", Each(idleFrom.StatementsOf(service), before.StatementsOf(service), after.StatementsOf(service) - own), bound.Statements);
        }

        Hold("messages", Each(idleFrom.Messages, before.Messages, after.Messages), CostOfAnAudit.Messages);
        Hold("kB of PostgreSQL's log", Each(idleFrom.WalKilobytes, before.WalKilobytes, after.WalKilobytes), CostOfAnAudit.WalKilobytes);
        // Where to look, if a bound was crossed.
        var known = before.Statements.ToLookup(one => (one.Service, one.Text), one => one.Calls);
        foreach (var service in CostOfAnAudit.Databases.Keys)
            foreach (var (calls, text) in after.Statements.Where(one => one.Service == service).Select(one => (Calls: one.Calls - known[(service, one.Text)].Sum(), one.Text)).OrderByDescending(one => one.Calls).Take(25))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {service} {calls / Audits,7:0.0}  {text}"));

        dearer.ShouldBeEmpty($"An audit costs more than {nameof(CostOfAnAudit)} allows. The test's output lists each service's most frequent statements: mend the one that grew, or raise the bound and say why in docs/benchmarks.md.");
    }

    /// <summary>One audit from its request to its end.</summary>
    /// <returns>How often the saga's table was looked at: one statement each, in no transaction of its own.</returns>
    static async Task<int> AuditAsync(HttpClient client, AssayServices services, string brand)
    {
        var request = new
        {
            brand = new { name = brand, industry = "software" },
            competitors = new[] { new { name = "Globex" }, new { name = "Initech" } },
            queries = Enumerable.Range(1, 45).Select(query => string.Create(CultureInfo.InvariantCulture, $"which tool number {query} is best for a team")),
            engines = Engines,
            ceilingUsd = 100,
        };
        using var accepted = await client.PostAsJsonAsync("api/audits", request);
        accepted.IsSuccessStatusCode.ShouldBeTrue(await accepted.Content.ReadAsStringAsync());
        var id = (await accepted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("auditId").GetGuid();
        await using var saga = new NpgsqlConnection(services.DatabaseOf("AuditSaga"));
        await saga.OpenAsync();
        var giveUp = DateTime.UtcNow.AddMinutes(2);
        for (var looks = 1; ; looks++)
        {
            await using var command = new NpgsqlCommand("SELECT current_state FROM audit WHERE audit_id = $1", saga) { Parameters = { new() { Value = id } } };
            var state = (string?)await command.ExecuteScalarAsync();
            if (state == "Completed")
                return looks;
            if (state is "Failed" or "Rejected" || DateTime.UtcNow > giveUp)
                throw new InvalidOperationException($"Audit {id} is {state ?? "unknown"} and not Completed.\n{services.AuditSaga.LogTail}");
            await Task.Delay(250);
        }
    }

    static async Task<Count> ReadAsync(AssayServices services, NpgsqlConnection counts)
    {
        var names = AssayServices.Names.ToDictionary(service => new NpgsqlConnectionStringBuilder(services.DatabaseOf(service)).Database!, service => service, StringComparer.Ordinal);
        List<Statement> statements = [];
        // Not pg_stat_database: sessions hand its counts over up to 10 s late. These are counted at once.
        const string sql = """
            SELECT d.datname, left(regexp_replace(s.query, '\s+', ' ', 'g'), 140), SUM(s.calls)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = ANY($1) GROUP BY 1, 2
            """;
        await using (var command = new NpgsqlCommand(sql, counts) { Parameters = { new() { Value = names.Keys.ToArray() } } })
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                statements.Add(new Statement(names[reader.GetString(0)], reader.GetString(1), reader.GetInt64(2)));
        }

        await using var wal = new NpgsqlCommand("SELECT wal_bytes FROM pg_stat_wal", counts);
        var bytes = (decimal)(await wal.ExecuteScalarAsync())!;
        return new Count(DateTime.UtcNow, statements, await services.Broker.CountPublishedAsync(), (double)bytes / 1024);
    }
}
