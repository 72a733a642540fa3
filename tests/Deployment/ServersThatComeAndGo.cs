using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
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
        await using var broker = await PrivateRabbitMq.StartAsync(Definitions.OneVirtualHost);
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
        {
            await instance.WaitForLineAsync($"Check the server and the setting ConnectionStrings__{instance.Service}", TimeSpan.FromSeconds(120));
            await instance.WaitForLineAsync("Check the server and the settings RabbitMq__Host and RabbitMq__Port", TimeSpan.FromSeconds(120));
            await ShouldLiveAsync(instance);
            (await MissingAsync(instance)).ShouldBe(["broker", $"database-{instance.Service}", $"migrations-{instance.Service}", $"outbox-{instance.Service}DbContext", "start"]);
        }

        using (var early = new HttpClient { BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(30) })
        using (var page = await early.GetAsync(new Uri("api/audits", UriKind.Relative)))
        {
            page.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            (await page.Content.ReadAsStringAsync()).ShouldContain("ConnectionStrings__Dashboard");
        }

        await postgres.StartServerAsync();
        foreach (var instance in services.Instances)
        {
            await WaitUntilMissingAsync(instance, "broker", "start");
            await ShouldLiveAsync(instance);
        }

        await broker.StartBrokerAsync();
        await Task.WhenAll(services.Instances.Select(instance => instance.WaitUntilReadyAsync(TimeSpan.FromSeconds(120))));
        foreach (var instance in services.Instances)
            (await MissingAsync(instance)).ShouldBeEmpty();
        foreach (var name in AssayServices.Names)
            services.Instances.Where(instance => instance.Service == name).Count(instance => instance.Log.Any(line => line.Contains("Migrated the database", StringComparison.Ordinal))).ShouldBe(1, $"one instance of {name} migrates");

        // Both go away while an audit asks.
        using var audits = new AuditsOverRest(services);
        var id = await audits.RequestAsync("Interrupted");
        await audits.WaitForAsync(id, "Asking", "Scoring", "Advising");
        await broker.KillAsync();
        foreach (var instance in services.Instances)
            await WaitUntilMissingAsync(instance, "broker");
        await postgres.KillAsync();
        foreach (var instance in services.Instances)
        {
            await WaitUntilMissingAsync(instance, "broker", $"database-{instance.Service}");
            await ShouldLiveAsync(instance);
        }

        await postgres.StartServerAsync();
        await broker.StartBrokerAsync();

        var status = await audits.WaitForAsync(id, "Completed", "Failed", "Cancelled");
        status.GetProperty("status").GetString().ShouldBe("Completed", status.ToString());
        await Task.WhenAll(services.Instances.Select(instance => instance.WaitUntilReadyAsync(ServiceProcess.ReadyAgainWithin)));

        // Nothing lost, nothing paid twice.
        await audits.ShouldBePaidOnceAsync(id, status.GetProperty("plannedCalls").GetInt64());

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
        await old.WaitForExitAsync(TimeSpan.FromSeconds(60));
        old.LogTail.ShouldContain("The Analyzer service cannot run and ends with exit code 1. ");
        old.LogTail.ShouldContain("29990101000000_FromTheFuture, which this version does not know: it was made by a newer version");
        old.LogTail.ShouldNotContain("Unhandled exception");
    }

    [Fact]
    public async Task Should_end_to_be_started_anew_when_a_queue_is_not_read_and_no_connection_tried()
    {
        var broker = await PrivateRabbitMq.Shared;
        var user = $"analyzer-{Guid.NewGuid():N}";
        (await broker.SendAsync(HttpMethod.Put, $"api/users/{user}", $$"""{"password":"{{user}}","tags":""}""")).Status.ShouldBe(201);
        await using var services = await AssayServices.PrepareAsync(await PrivatePostgres.Shared, broker, new Dictionary<string, string>(StringComparer.Ordinal) { ["RabbitMq__ReconnectPatience"] = "00:00:35" },
            settingsOf: _ => new Dictionary<string, string>(StringComparer.Ordinal) { ["RabbitMq__Username"] = user, ["RabbitMq__Password"] = user });
        var permissions = $"api/permissions/{services.VirtualHost}/{user}";
        (await broker.SendAsync(HttpMethod.Put, permissions, """{"configure":".*","write":".*","read":".*"}""")).Status.ShouldBe(201);
        var analyzer = services.Analyzer;
        analyzer.Start();
        await analyzer.WaitUntilReadyAsync(TimeSpan.FromSeconds(90));

        // A queue is gone and cannot be made again: its endpoint fails over and over on a connection that is never renewed.
        (await broker.SendAsync(HttpMethod.Put, permissions, """{"configure":"","write":".*","read":".*"}""")).Status.ShouldBe(204);
        await broker.DeleteQueueAsync(services.VirtualHost, MessagesInCode.QueuesOf("analyzer").First());
        await WaitUntilMissingAsync(analyzer, "broker");
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(180)))
        {
            while (analyzer.DeadConnections == 0)
            {
                limit.IsCancellationRequested.ShouldBeFalse($"the Analyzer should have ended; the end of its log:\n{analyzer.LogTail}");
                await Task.Delay(100, CancellationToken.None);
            }
        }

        // Started anew it waits for what it needs; if that start falls silent too, once more.
        await analyzer.WaitForLineAsync("ACCESS_REFUSED", TimeSpan.FromSeconds(90));
        (await broker.SendAsync(HttpMethod.Put, permissions, """{"configure":".*","write":".*","read":".*"}""")).Status.ShouldBe(204);
        await analyzer.WaitUntilReadyAsync(TimeSpan.FromSeconds(240));
        analyzer.HasExited.ShouldBeFalse();
    }

    static async Task ShouldLiveAsync(ServiceProcess instance)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        using var response = await http.GetAsync(new Uri(instance.Url, "health/live"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, $"{instance.Service} lives while it waits for its servers");
    }

    /// <summary>What <c>/health/ready</c> says is missing: with 503 something, with 200 nothing.</summary>
    static async Task<IReadOnlyList<string>> MissingAsync(ServiceProcess instance)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        using var response = await http.GetAsync(new Uri(instance.Url, "health/ready"));
        var missing = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("missing").EnumerateArray().Select(name => name.GetString()!).ToList();
        response.StatusCode.ShouldBe(missing.Count > 0 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK);
        return missing;
    }

    static async Task WaitUntilMissingAsync(ServiceProcess instance, params string[] names)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        IReadOnlyList<string> missing;
        // An outbox is missing too while its database is, or after a minute without a broker.
        while (!(missing = await MissingAsync(instance)).Where(name => !name.StartsWith("outbox-", StringComparison.Ordinal)).SequenceEqual(names, StringComparer.Ordinal))
        {
            limit.IsCancellationRequested.ShouldBeFalse($"{instance.Service} should miss {string.Join(", ", names)} and says {string.Join(", ", missing)}");
            await Task.Delay(100, CancellationToken.None);
        }
    }
}
