using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.TestServers;
using Npgsql;

namespace Assay.Deployment;

/// <summary>Audits of a system whose servers come and go: requested and followed over REST, and counted in the ledger.</summary>
sealed class AuditsOverRest(AssayServices services) : IDisposable
{
    readonly HttpClient client = new()
    {
        BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(30),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", services.OperatorKey) },
    };

    public void Dispose() => client.Dispose();

    /// <summary>Requests an audit of few questions. Simulated engines refuse now and then; these audits are about what gets lost, not about that.</summary>
    public async Task<string> RequestAsync(string brand)
    {
        var request = RunningSystem.Request(brand);
        request["minCoverage"] = 0.2;
        using var accepted = await client.PostAsJsonAsync("api/audits", request);
        accepted.IsSuccessStatusCode.ShouldBeTrue($"{await accepted.Content.ReadAsStringAsync()}; the Dashboard said: {services.Dashboard.LastWords}");
        return (await accepted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("auditId").GetString()!;
    }

    /// <summary>Waits for one of the states; while servers are away the dashboard may answer with an error, but no service may end.</summary>
    public async Task<JsonElement> WaitForAsync(string id, params string[] states)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        var last = "(it never answered)";
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri($"api/audits/{id}", UriKind.Relative), limit.Token);
                if (response.IsSuccessStatusCode && await response.Content.ReadFromJsonAsync<JsonElement>(limit.Token) is var status)
                {
                    last = status.ToString();
                    if (states.Contains(status.GetProperty("status").GetString(), StringComparer.Ordinal))
                        return status;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
            {
                limit.IsCancellationRequested.ShouldBeFalse($"audit {id} did not reach {string.Join(" or ", states)}: {last}\n{string.Join('\n', services.Instances.Select(instance => $"{instance.Service}: {instance.LastWords}"))}");
            }

            foreach (var instance in services.Instances)
                instance.HasExited.ShouldBeFalse($"{instance.Service} ended:\n{instance.LogTail}");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    /// <summary>Every question has an answer, which may be a refusal or empty; each call has one try; the audit's money is what its calls cost.</summary>
    public async Task ShouldBePaidOnceAsync(string id, long plannedCalls)
    {
        (await CountAsync("SELECT count(*) FROM paid_call WHERE audit_id = $1 AND engine = 'chatgpt'", id)).ShouldBe(plannedCalls);
        foreach (var lost in new[] { "Planned", "Sending", "Declined", "InDoubt" })
            (await CountAsync($"SELECT count(*) FROM paid_call WHERE audit_id = $1 AND state = '{lost}'", id)).ShouldBe(0, $"calls that ended as {lost}");
        (await CountAsync("SELECT count(*) FROM (SELECT call_key FROM every_try WHERE audit_id = $1 GROUP BY call_key HAVING count(*) > 1) twice", id)).ShouldBe(0);
        var spent = await CountAsync("SELECT sum(spent_micro_usd)::bigint FROM paid_call WHERE audit_id = $1", id);
        spent.ShouldBeGreaterThan(0);
        (await CountAsync("SELECT spent_micro_usd FROM spending WHERE scope = 'audit:' || $1", id)).ShouldBe(spent);
        (await CountAsync("SELECT reserved_micro_usd FROM spending WHERE scope = 'audit:' || $1", id)).ShouldBe(0);
    }

    async Task<long> CountAsync(string sql, string id)
    {
        await using var connection = new NpgsqlConnection(services.DatabaseOf("LlmGateway") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = Guid.Parse(id) } } };
        return (long)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row for audit {id}: {sql}"));
    }
}
