using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.TestServers;
using Npgsql;

namespace Assay.Deployment;

/// <summary>Servers that come late, go away and come back; several instances at once; a database from the future.</summary>
[Trait("Needs", "Servers")]
public sealed class ServersThatComeAndGo
{
    [Fact]
    public async Task Should_wait_say_so_recover_and_lose_nothing()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        // The virtual host is part of the definitions: a broker killed a moment after it was told of one may have forgotten it.
        await using var broker = await PrivateRabbitMq.StartAsync("""
            {"users":[{"name":"guest","password":"guest","tags":["administrator"]}],"vhosts":[{"name":"assay"}],
             "permissions":[{"user":"guest","vhost":"assay","configure":".*","write":".*","read":".*"}]}
            """);
        await using var services = await AssayServices.PrepareAsync(postgres, broker, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Engines__chatgpt__Kind"] = "scripted", ["Engines__chatgpt__MinLatency"] = "00:00:02", ["Engines__chatgpt__MaxLatency"] = "00:00:03",
            ["Engines__chatgpt__InputUsdPerMTok"] = "1", ["Engines__chatgpt__OutputUsdPerMTok"] = "1", ["Engines__advisor__Kind"] = "scripted",
        }, "assay");

        // Nothing is there yet, and two of each service start at once on empty databases.
        await broker.KillAsync();
        await postgres.StopAsync();
        foreach (var name in AssayServices.Names)
            services.Add(name);
        foreach (var instance in services.Instances.Reverse())
            instance.Start();
        foreach (var instance in services.Instances)
            await instance.WaitForLineAsync($"Check the server and the setting ConnectionStrings__{instance.Service}", TimeSpan.FromSeconds(120));
        await postgres.StartServerAsync();
        foreach (var instance in services.Instances)
            await instance.WaitForLineAsync("Check the server and the settings RabbitMq__Host and RabbitMq__Port", TimeSpan.FromSeconds(120));
        await broker.StartBrokerAsync();
        await Task.WhenAll(services.Instances.Select(instance => instance.WaitUntilReadyAsync(TimeSpan.FromSeconds(120))));
        foreach (var name in AssayServices.Names)
            services.Instances.Where(instance => instance.Service == name).Count(instance => instance.Log.Any(line => line.Contains("Migrated the database", StringComparison.Ordinal))).ShouldBe(1, $"one instance of {name} migrates");

        // Both go away while an audit asks.
        using var client = new HttpClient { BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", services.OperatorKey);
        using var accepted = await client.PostAsJsonAsync("api/audits", Request());
        accepted.IsSuccessStatusCode.ShouldBeTrue(await accepted.Content.ReadAsStringAsync());
        var id = (await accepted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("auditId").GetString()!;
        await WaitForAsync(client, id, services, "Asking", "Scoring", "Advising");
        await broker.KillAsync();
        await postgres.KillAsync();
        foreach (var instance in services.Instances)
            await WaitUntilItSaysSoAsync(instance);
        await postgres.StartServerAsync();
        await broker.StartBrokerAsync();

        var status = await WaitForAsync(client, id, services, "Completed", "Failed", "Cancelled");
        status.GetProperty("status").GetString().ShouldBe("Completed", status.ToString());
        await Task.WhenAll(services.Instances.Select(instance => instance.WaitUntilReadyAsync(TimeSpan.FromSeconds(60))));

        // Nothing lost: every question has an answer, which may be a refusal. Nothing paid twice: each call has one try, its audit's money is what its calls cost.
        var gateway = services.DatabaseOf("LlmGateway");
        (await CountAsync(gateway, "SELECT count(*) FROM paid_call WHERE audit_id = $1 AND engine = 'chatgpt'", id)).ShouldBe(status.GetProperty("plannedCalls").GetInt64());
        (await CountAsync(gateway, "SELECT count(*) FROM paid_call WHERE audit_id = $1 AND state NOT IN ('Answered', 'Refused')", id)).ShouldBe(0);
        (await CountAsync(gateway, "SELECT count(*) FROM (SELECT call_key FROM paid_try WHERE audit_id = $1 GROUP BY call_key HAVING count(*) > 1) twice", id)).ShouldBe(0);
        var spent = await CountAsync(gateway, "SELECT sum(spent_micro_usd)::bigint FROM paid_call WHERE audit_id = $1", id);
        spent.ShouldBeGreaterThan(0);
        (await CountAsync(gateway, "SELECT spent_micro_usd FROM spending WHERE scope = 'audit:' || $1", id)).ShouldBe(spent);
        (await CountAsync(gateway, "SELECT reserved_micro_usd FROM spending WHERE scope = 'audit:' || $1", id)).ShouldBe(0);

        // A newer version has been here: the older service says so and ends.
        await using (var connection = new NpgsqlConnection(services.DatabaseOf("Analyzer")))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = """INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion") VALUES ('29990101000000_FromTheFuture', '10.0.0')""";
            await command.ExecuteNonQueryAsync();
        }

        var old = services.Add("Analyzer");
        old.Start();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!old.HasExited)
            await Task.Delay(100, limit.Token);
        old.LogTail.ShouldContain("29990101000000_FromTheFuture, which this version does not know: it was made by a newer version");
    }

    /// <summary>Simulated engines refuse now and then; this audit is about what gets lost, not about that.</summary>
    static JsonObject Request()
    {
        var request = RunningSystem.Request("Interrupted");
        request["minCoverage"] = 0.2;
        return request;
    }

    /// <summary>Waits until <c>/health/ready</c> answers 503: the service is alive and says that something is missing.</summary>
    static async Task WaitUntilItSaysSoAsync(ServiceProcess instance)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (true)
        {
            using var response = await http.GetAsync(new Uri(instance.Url, "health/ready"), limit.Token);
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                return;
            await Task.Delay(100, limit.Token);
        }
    }

    static async Task<long> CountAsync(string database, string sql, string auditId)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        // Scopes are texts that hold the id, the other columns are ids.
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { sql.Contains("scope =", StringComparison.Ordinal) ? new() { Value = Guid.Parse(auditId).ToString("D") } : new() { Value = Guid.Parse(auditId) } } };
        return (long)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row for audit {auditId}: {sql}"));
    }

    static async Task<JsonElement> WaitForAsync(HttpClient client, string id, AssayServices services, params string[] states)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        while (true)
        {
            // While its database is away the dashboard may answer with an error; it must not end.
            try
            {
                using var response = await client.GetAsync(new Uri($"api/audits/{id}", UriKind.Relative), limit.Token);
                if (response.IsSuccessStatusCode && await response.Content.ReadFromJsonAsync<JsonElement>(limit.Token) is var status && states.Contains(status.GetProperty("status").GetString(), StringComparer.Ordinal))
                    return status;
            }
            catch (HttpRequestException) when (!limit.IsCancellationRequested)
            {
            }

            foreach (var instance in services.Instances)
                instance.HasExited.ShouldBeFalse($"{instance.Service} ended:\n{instance.LogTail}");
            await Task.Delay(100, limit.Token);
        }
    }
}
