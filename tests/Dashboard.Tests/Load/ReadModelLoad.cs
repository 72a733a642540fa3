using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Assay.Dashboard.Access;
using Assay.Dashboard.Database;
using Assay.Dashboard.Tests.Hosting;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Assay.Dashboard.Tests.Load;

/// <summary>
/// Measures pages and API over a large read model on PostgreSQL, and many live listeners. On demand:
/// <c>dotnet run -c Release --project tests/Dashboard.Tests -- load [audits] [answers an audit] [listeners]</c>.
/// </summary>
static class ReadModelLoad
{
    const int Rounds = 25;

    public static async Task<int> RunAsync(string[] args)
    {
        int Argument(int index, int instead) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : instead;
        var (audits, answers, listeners) = (Argument(0, 100_000), Argument(1, 100), Argument(2, 500));
        await using var server = await PrivatePostgres.StartAsync();
        var database = await server.CreateDatabaseAsync("load");
        var host = new DashboardHost { Postgres = database, Settings = new Dictionary<string, string?>(StringComparer.Ordinal) };
        await host.InitializeAsync();
        try
        {
            var started = Stopwatch.StartNew();
            await FillAsync(database, audits, answers);
            Say($"{audits:N0} audits, {(long)audits * answers:N0} answers made in {started.Elapsed.TotalSeconds:0} s");
            var id = await SampleAsync(host);
            using var client = await host.ProgramAsync(Roles.Operator);
            using var person = await host.PersonAsync();
            Say($"{"what",-44} {"p50 ms",8} {"p95 ms",8} {"bytes",9}");
            foreach (var (what, path, limit) in new[]
            {
                ("list", "/api/audits", 100), ("list, page 1000", "/api/audits?page=1000", 100), ("list, failed", "/api/audits?status=Failed", 100), ("list, live", "/api/audits?status=live", 100),
                ("list, ended", "/api/audits?status=ended", 100), ("list, brand", "/api/audits?brand=Brand 77", 100), ("search, rare word", "/api/audits?q=brand 4711", 100), ("search, half an id", $"/api/audits?q={id.ToString()[..13]}", 100),
                ("search, in every row", "/api/audits?q=brand", 100), ("search, nothing", "/api/audits?q=zzzzzz", 100), ("status of an audit", $"/api/audits/{id}", 100), ("answers of an audit", $"/api/audits/{id}/answers", 100),
                ("answers naming a brand", $"/api/audits/{id}/answers?brand=Sony", 100),
            })
                await MeasureAsync(client, what, path, limit);
            foreach (var (what, path, limit) in new[] { ("page: audits", "/", 100), ("page: audits, searched", "/?q=brand 4711", 100), ("page: audit", $"/audits/{id}", 200), ("page: answers", $"/audits/{id}/answers", 200), ("page: spending", "/spending", 200), ("page: operations (asks 4 services)", "/operations", 5_000) })
                await MeasureAsync(person, what, path, limit);
            await ListenAsync(host, client, id, listeners);
            return 0;
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    static async Task MeasureAsync(HttpClient client, string what, string path, int limit)
    {
        List<double> times = [];
        long bytes = 0;
        for (var round = 0; round < Rounds + 3; round++)
        {
            var watch = Stopwatch.StartNew();
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
            bytes = (await response.Content.ReadAsByteArrayAsync()).Length;
            response.EnsureSuccessStatusCode();
            if (round >= 3)
                times.Add(watch.Elapsed.TotalMilliseconds);
            // The operations page waits for services that are not there; a few rounds tell it.
            if (watch.Elapsed > TimeSpan.FromSeconds(2) && round >= 4)
                break;
        }

        times.Sort();
        var p95 = times[(int)Math.Ceiling(times.Count * 0.95) - 1];
        Say(string.Create(CultureInfo.InvariantCulture, $"{what,-44} {times[times.Count / 2],8:0.0} {p95,8:0.0} {bytes,9} {(times[times.Count / 2] <= limit ? "" : $"above {limit} ms")}"));
    }

    /// <summary>As many server-sent streams as asked for; then one change, and how long each takes to hear of it.</summary>
    static async Task ListenAsync(DashboardHost host, HttpClient client, Guid id, int listeners)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var many = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = listeners + 10 }) { BaseAddress = host.Url, Timeout = Timeout.InfiniteTimeSpan };
        many.DefaultRequestHeaders.Authorization = client.DefaultRequestHeaders.Authorization;
        var live = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(live), Sample.Accepted(live));
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == live && a.AcceptedAttempt == 1), "one is live");
        var watch = Stopwatch.StartNew();
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var streams = await Task.WhenAll(Enumerable.Range(0, listeners).Select(async _ =>
        {
            var response = await many.GetAsync(new Uri($"/api/audits/{live}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, limit.Token);
            response.EnsureSuccessStatusCode();
            var reader = new StreamReader(await response.Content.ReadAsStreamAsync(limit.Token));
            await UntilEventAsync(reader, limit.Token);
            return reader;
        }));
        Say($"{listeners} listeners connected and told the first state in {watch.Elapsed.TotalSeconds:0.0} s");
        watch.Restart();
        var heard = Task.WhenAll(streams.Select(async reader =>
        {
            await UntilEventAsync(reader, limit.Token);
            return watch.Elapsed;
        }));
        await host.SayAsync(Sample.Transitioned(live, 3, "Planning", "Asking"));
        var times = (await heard).Order().ToList();
        Say(string.Create(CultureInfo.InvariantCulture, $"{times.Count} of {listeners} heard of one change: first after {times[0].TotalMilliseconds:0} ms, median {times[times.Count / 2].TotalMilliseconds:0} ms, last {times[^1].TotalMilliseconds:0} ms; {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds:0.0} s of CPU for all of it, the listening side included"));
        foreach (var stream in streams)
            stream.Dispose();
    }

    static async Task UntilEventAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
            if (line.StartsWith("data:", StringComparison.Ordinal))
                return;
        throw new InvalidOperationException("A stream ended before it told a change.");
    }

    static async Task<Guid> SampleAsync(DashboardHost host)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().Audits.Where(a => a.Brand == "Brand 77").OrderBy(a => a.CreatedAt).Select(a => a.AuditId).FirstAsync();
    }

    /// <summary>Rows shaped like one real completed audit, told by messages first and multiplied by the database.</summary>
    static async Task FillAsync(string database, int audits, int answers)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        async Task DoAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
        }

        await DoAsync($"""
            INSERT INTO audit (audit_id, status, attempt, created_at, request_attempt, request_json, brand, kind, search_text, tracking_id, depth, ceiling_micro_usd, registered_at, deadline_at, requested_by,
                accepted_attempt, planned_calls, worst_case_micro_usd, accepted_at, decisions, state_sequence, ended_attempt, ended_at, failure_reason, failure_detail, ended_phase, progress_attempt, completed_calls, fraction,
                budget_version, reserved_micro_usd, spent_micro_usd, in_doubt_micro_usd, overrun_micro_usd, calls, paid_tries, in_doubt, reused, budget_final, score_attempt, scores_json, coverage_json, visibility, visibility_low, visibility_high, simulated, report_attempt, version, updated_at)
            SELECT id, status, 1, at, 1, '{SampleRequest}', 'Brand ' || (n % 5000), 'brand', lower('Brand ' || (n % 5000) || ' brand' || (n % 5000) || '.com brand load ' || id), id, 0, 5000000, at, at + interval '30 minutes', 'load',
                1, {answers}, 400000, at, 1, 6, 1, at + interval '3 minutes', CASE WHEN status = 'Failed' THEN (ARRAY['Stalled','DeadlinePassed','InsufficientCoverage'])[1 + n % 3] END, NULL, 'Publishing', 1, {answers}, 1,
                1, 0, 40000 + n % 1000, 0, 0, {answers}, {answers}, 0, n % 7, true, 1, '{SampleScores}', '{SampleCoverage(answers)}', (n % 100) / 100.0, 0.1, 0.9, n % 2 = 0, 1, 20, at + interval '3 minutes'
            FROM (SELECT n, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id, now() - interval '1 second' * ({audits} - n) * 30 - interval '1 hour' AS at,
                CASE WHEN n % 50 = 0 THEN 'Failed' WHEN n % 97 = 0 THEN 'Cancelled' WHEN n > {audits} - 20 THEN 'Asking' ELSE 'Completed' END AS status FROM generate_series(1, {audits}) n) made
            """);
        await DoAsync($"""
            INSERT INTO transition (audit_id, sequence, attempt, from_state, to_state, trigger, worker, at, elapsed_ms)
            SELECT audit_id, s, 1, 'Asking', 'Scoring', 'AnswersAnalyzed', 'w' || s, created_at + interval '1 second' * s, 1000 FROM audit, generate_series(1, 6) s
            """);
        // What is measured is reading: the rows are made without a log, by two connections, and indexed at the end.
        await DoAsync("ALTER TABLE answer SET UNLOGGED");
        await DoAsync("DROP INDEX ix_answer_audit_id_query_id_engine_run");
        const int Piece = 5_000;
        await Parallel.ForEachAsync(Enumerable.Range(0, (audits + Piece - 1) / Piece), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (piece, cancellationToken) =>
        {
            await using var own = new NpgsqlConnection(database);
            await own.OpenAsync(cancellationToken);
            var from = piece * Piece + 1;
            await using var command = new NpgsqlCommand($"""
                INSERT INTO answer (audit_id, call_key, batch_id, attempt, engine, engine_kind, simulated, query_id, run, outcome, brands, json)
                SELECT id, key, id, 1, (ARRAY['chatgpt','claude','gemini','perplexity'])[1 + a % 4], 'scripted', false, query, 1, CASE WHEN a % 20 = 0 THEN 'refused' ELSE 'valid' END,
                    E'\nAnker\nSony\n', replace(replace('{SampleAnswer}', '~key~', key), '~query~', query)
                FROM (SELECT id, a, md5(n || '-' || a) AS key, 'q' || lpad((1 + a / 4)::text, 3, '0') AS query
                    FROM (SELECT n, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id FROM generate_series({from}, {Math.Min(audits, from + Piece - 1)}) n) made, generate_series(0, {answers - 1}) a) keyed
                """, own) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
        });
        await DoAsync("SET maintenance_work_mem = '1GB'");
        await DoAsync("CREATE INDEX ix_answer_audit_id_query_id_engine_run ON answer (audit_id, query_id, engine, run)");
        await DoAsync("VACUUM ANALYZE audit");
        await DoAsync("VACUUM ANALYZE transition");
        await DoAsync("ANALYZE answer");
    }

    static string SampleRequest => Json(Sample.Request(Guid.Empty, "Anker"));

    static string SampleScores => Json(Sample.Scored(Guid.Empty, Guid.Empty).Scores);

    static string SampleCoverage(int answers) => Json(Sample.Scored(Guid.Empty, Guid.Empty).Coverage with { Planned = answers, Valid = answers });

    static string SampleAnswer => Json(Sample.Answer("chatgpt", 1, "1. Anker Soundcore is the best choice. Sony follows.") with { CallKey = "~key~", QueryId = "~query~" });

    static string Json<T>(T value) => System.Text.Json.JsonSerializer.Serialize(value, Assay.Contracts.Internal.AssayJson.Options).Replace("'", "''", StringComparison.Ordinal);

    static void Say(string text) => Console.WriteLine(text);
}
