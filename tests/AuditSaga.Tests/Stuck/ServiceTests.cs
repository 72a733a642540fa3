using System.Net.Http.Headers;
using System.Net.Http.Json;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.TestServers;
using Npgsql;

namespace Assay.AuditSaga.Tests.Stuck;

/// <summary>The four services as processes; one of them is frozen, killed or robbed of its queue.</summary>
[Trait("Needs", "Servers")]
public class When_a_service_is_stuck
{
    sealed record Row(string State, string? Reason, string? Phase, string? EndedBy, int Attempt, int Closed, int Planned, DateTime Deadline, DateTime? EndedAt);

    static readonly Dictionary<string, string> Slow = new(StringComparer.Ordinal)
    {
        ["AuditSaga__StallTimeout"] = "00:00:12",
        ["AuditSaga__WatchInterval"] = "00:00:01",
        ["AuditSaga__WatchGrace"] = "00:00:02",
        ["AuditSaga__BatchSize"] = "2",
        ["Engines__chatgpt__Kind"] = "scripted",
        ["Engines__chatgpt__MinLatency"] = "00:00:01.5",
        ["Engines__chatgpt__MaxLatency"] = "00:00:02",
        ["Engines__chatgpt__MaxConcurrency"] = "1",
        ["Engines__advisor__Kind"] = "scripted",
    };

    static async Task<AssayServices> StartAsync(params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(Slow, StringComparer.Ordinal);
        foreach (var (name, value) in settings)
            all[name] = value;
        return await AssayServices.StartAsync(await PrivatePostgres.Shared, await PrivateRabbitMq.Shared, all);
    }

    static async Task<Guid> RequestAsync(AssayServices services, string brand, int queries = 12, double deadlineMinutes = 10)
    {
        using var client = new HttpClient { BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", services.OperatorKey);
        var id = Guid.NewGuid();
        using var response = await client.PostAsJsonAsync("api/audits", new
        {
            auditId = id,
            brand = new { name = brand, domain = $"{brand.ToLowerInvariant()}.com" },
            queries = Enumerable.Range(1, queries).Select(i => $"best earbuds for situation {i}"),
            engines = new[] { "chatgpt" },
            ceilingUsd = 5,
            deadlineMinutes,
        });
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        return id;
    }

    static async Task<Row> UntilAsync(AssayServices services, Guid auditId, Func<Row, bool> condition, TimeSpan bound)
    {
        var giveUp = DateTime.UtcNow + bound;
        Row? row = null;
        while (DateTime.UtcNow < giveUp)
        {
            row = await ReadAsync(services, auditId);
            if (row is not null && condition(row))
                return row;
            await Task.Delay(100);
        }

        throw new TimeoutException($"Audit {auditId} is {row} after {bound}.\n{services.AuditSaga.LogTail}");
    }

    static async Task<Row?> ReadAsync(AssayServices services, Guid auditId)
    {
        await using var connection = new NpgsqlConnection(services.DatabaseOf("AuditSaga"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT current_state, failure_reason, ended_phase, ended_by, attempt,
                   json_array_length(batch_ids::json) - (SELECT count(*) FROM json_object_keys(open_batches::json)), json_array_length(batch_ids::json), deadline_at, ended_at
            FROM audit WHERE audit_id = $1
            """, connection);
        command.Parameters.AddWithValue(auditId);
        await using var reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            return null;
        return new(reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3),
            reader.GetInt32(4), (int)reader.GetInt64(5), reader.GetInt32(6), reader.GetDateTime(7), reader.IsDBNull(8) ? null : reader.GetDateTime(8));
    }

    static bool HasEnded(Row row) => AuditPhases.Terminal.Contains(row.State);

    /// <summary>How often the ledger was asked, tried and paid: a second asking would show here.</summary>
    static async Task<long> TriesAsync(AssayServices services, Guid auditId)
    {
        await using var connection = new NpgsqlConnection(services.DatabaseOf("LlmGateway"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT count(*) FROM every_try WHERE audit_id = $1 AND number > 1", connection);
        command.Parameters.AddWithValue(auditId);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task Should_fail_as_stalled_an_audit_whose_analyzer_never_answers_and_ignore_it_when_it_does()
    {
        await using var services = await StartAsync();
        services.Analyzer.Freeze();
        var id = await RequestAsync(services, "Anker");

        var row = await UntilAsync(services, id, HasEnded, TimeSpan.FromSeconds(12 + 60));
        (row.State, row.Reason, row.Phase, row.Attempt).ShouldBe((AuditStates.Failed, FailureReasons.Stalled, AuditStates.Planning, 1));

        // Its late answer changes nothing; the next audit, of another brand, goes through.
        services.Analyzer.Thaw();
        var next = await RequestAsync(services, "Bose", queries: 1);
        (await UntilAsync(services, next, HasEnded, TimeSpan.FromSeconds(90))).State.ShouldBe(AuditStates.Completed);
        (await ReadAsync(services, id)).ShouldBe(row);
    }

    [Fact]
    public async Task Should_fail_as_stalled_an_audit_whose_gateway_answers_half_and_keep_the_half()
    {
        await using var services = await StartAsync();
        var id = await RequestAsync(services, "Anker");
        await UntilAsync(services, id, row => row is { State: AuditStates.Asking, Closed: >= 2 }, TimeSpan.FromSeconds(60));
        services.LlmGateway.Freeze();

        var row = await UntilAsync(services, id, HasEnded, TimeSpan.FromSeconds(12 + 60));
        (row.State, row.Reason, row.Phase, row.Attempt, row.Planned).ShouldBe((AuditStates.Failed, FailureReasons.Stalled, AuditStates.Asking, 1, 6));
        row.Closed.ShouldBeInRange(2, 5);

        services.LlmGateway.Thaw();
        var next = await RequestAsync(services, "Bose", queries: 1);
        (await UntilAsync(services, next, HasEnded, TimeSpan.FromSeconds(90))).State.ShouldBe(AuditStates.Completed);
        (await ReadAsync(services, id)).ShouldBe(row);
        (await TriesAsync(services, id)).ShouldBe(0, "nothing was asked twice");
    }

    [Fact]
    public async Task Should_fail_as_stalled_an_audit_whose_queue_was_deleted_and_serve_the_next()
    {
        await using var services = await StartAsync();
        services.Analyzer.Freeze();
        var id = await RequestAsync(services, "Anker");
        await UntilAsync(services, id, row => row.State == AuditStates.Planning, TimeSpan.FromSeconds(30));
        var giveUp = DateTime.UtcNow.AddSeconds(30);
        while (await services.Broker.CountMessagesAsync(services.VirtualHost, "plan-queries") is null or 0)
        {
            DateTime.UtcNow.ShouldBeLessThan(giveUp, "the command never rested in its queue");
            await Task.Delay(100);
        }

        await services.Analyzer.KillAsync();
        await services.Broker.DeleteQueueAsync(services.VirtualHost, "plan-queries");
        services.Analyzer.Start();
        await services.Analyzer.WaitUntilReadyAsync(TimeSpan.FromSeconds(60));

        var row = await UntilAsync(services, id, HasEnded, TimeSpan.FromSeconds(12 + 60));
        (row.State, row.Reason, row.Phase, row.Attempt).ShouldBe((AuditStates.Failed, FailureReasons.Stalled, AuditStates.Planning, 1));
        var next = await RequestAsync(services, "Bose", queries: 1);
        (await UntilAsync(services, next, HasEnded, TimeSpan.FromSeconds(90))).State.ShouldBe(AuditStates.Completed);
        (await ReadAsync(services, id)).ShouldBe(row);
    }

    [Fact]
    public async Task Should_fail_at_the_deadline_that_passed_while_everything_was_down()
    {
        await using var services = await StartAsync(("AuditSaga__StallTimeout", "00:05:00"));
        var id = await RequestAsync(services, "Anker", queries: 20, deadlineMinutes: 0.4);
        var asking = await UntilAsync(services, id, row => row.State == AuditStates.Asking, TimeSpan.FromSeconds(20));
        await Task.WhenAll(services.Instances.Select(instance => instance.KillAsync()));
        while (DateTime.UtcNow < asking.Deadline.AddSeconds(3))
            await Task.Delay(200);

        foreach (var instance in services.Instances)
            instance.Start();
        await services.AuditSaga.WaitUntilReadyAsync(TimeSpan.FromSeconds(120));
        var up = DateTime.UtcNow;
        var row = await UntilAsync(services, id, HasEnded, TimeSpan.FromSeconds(60));
        (row.State, row.Reason, row.Phase, row.Attempt).ShouldBe((AuditStates.Failed, FailureReasons.DeadlinePassed, AuditStates.Asking, 1));
        row.EndedAt!.Value.ShouldBeLessThan(up.AddSeconds(60));
        await Task.WhenAll(services.Instances.Select(instance => instance.WaitUntilReadyAsync(TimeSpan.FromSeconds(120))));
        (await TriesAsync(services, id)).ShouldBe(0, "nothing was asked twice");
    }

    [Fact]
    public async Task Should_hold_up_no_other_audit_when_a_saga_is_frozen_inside_a_transaction()
    {
        await using var services = await StartAsync(("AuditSaga__StallTimeout", "00:05:00"));
        var held = await RequestAsync(services, "Anker", queries: 4);
        await UntilAsync(services, held, row => row.State == AuditStates.Asking, TimeSpan.FromSeconds(60));

        // The first instance comes to wait for this row inside its transaction, is frozen there, and then gets the row.
        await using (var connection = new NpgsqlConnection(services.DatabaseOf("AuditSaga")))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("SELECT 1 FROM audit WHERE audit_id = $1 FOR UPDATE", connection, transaction) { Parameters = { new() { Value = held } } })
                await command.ExecuteNonQueryAsync();
            await WaitersAsync(services, 1);
            services.AuditSaga.Freeze();
        }

        var frozen = services.AuditSaga;
        var second = services.Add("AuditSaga");
        second.Start();
        await second.WaitUntilReadyAsync(TimeSpan.FromSeconds(120));

        var others = new List<Guid>();
        foreach (var brand in new[] { "Bose", "Sennheiser", "Shure" })
            others.Add(await RequestAsync(services, brand, queries: 1));
        foreach (var other in others)
            (await UntilAsync(services, other, HasEnded, TimeSpan.FromSeconds(120))).State.ShouldBe(AuditStates.Completed);
        (await UntilAsync(services, held, HasEnded, TimeSpan.FromSeconds(120))).State.ShouldBe(AuditStates.Completed, "its own row was let go as well");
        frozen.HasExited.ShouldBeFalse();
        frozen.Thaw();
    }

    /// <summary>Waits until so many sessions of a service wait for a lock.</summary>
    static async Task WaitersAsync(AssayServices services, int count)
    {
        await using var connection = new NpgsqlConnection(services.DatabaseOf("AuditSaga"));
        await connection.OpenAsync();
        var giveUp = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", connection);
            if ((long)(await command.ExecuteScalarAsync())! >= count)
                return;
            DateTime.UtcNow.ShouldBeLessThan(giveUp, "no session of the saga came to wait for the row");
            await Task.Delay(20);
        }
    }
}
