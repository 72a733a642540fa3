using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.TestServers;

namespace Assay.EndToEnd;

[Trait("Needs", "Servers")]
[Trait("Needs", "Shared")]
public sealed class TheFourServices
{
    [Fact]
    public async Task Should_give_the_same_scores_as_the_embedded_host_query_by_query()
    {
        var request = RecordedAnswers.Request(RecordedAnswers.Queries, "chatgpt", "google");
        using var assay = new AssayCommand();
        await File.WriteAllTextAsync(Path.Combine(assay.Folder, "request.json"), request.ToJsonString());
        var result = await assay.RunAsync(["audit", "request.json", "--out", "out"], RecordedAnswers.ReplaySettings);
        result.ExitCode.ShouldBe(0, result.ToString());
        var embedded = await Report.ReadAsync(Path.Combine(assay.Folder, "out", "report.json"));

        await using var services = await AssayServices.StartAsync(await PrivatePostgres.Shared, await PrivateRabbitMq.Shared, RecordedAnswers.ReplaySettings);
        using var client = new HttpClient { BaseAddress = services.Dashboard.Url, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", services.OperatorKey);
        using var accepted = await client.PostAsJsonAsync("api/audits", request);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.Content.ReadAsStringAsync());
        var auditId = (await accepted.Content.ReadFromJsonAsync<JsonElement>()).Text("auditId");
        var status = await WaitForTheEndAsync(client, auditId!, services);

        status.Text("status").ShouldBe("Completed", status.ToString());
        var distributed = await client.GetFromJsonAsync<JsonElement>($"api/audits/{auditId}/report?format=json");
        distributed.ShouldAddUp();
        Scores(distributed).ShouldBe(Scores(embedded));
        Queries(distributed).ShouldBe(Queries(embedded));
    }

    static async Task<JsonElement> WaitForTheEndAsync(HttpClient client, string auditId, AssayServices services)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        while (true)
        {
            var status = await client.GetFromJsonAsync<JsonElement>($"api/audits/{auditId}", limit.Token);
            if (status.Text("status") is "Completed" or "Failed" or "Cancelled" or "Rejected")
                return status;
            foreach (var instance in services.Instances)
                instance.HasExited.ShouldBeFalse($"{instance.Service} ended:\n{instance.LogTail}");
            await Task.Delay(100, limit.Token);
        }
    }

    static string Scores(JsonElement report) => report.GetProperty("scores").ToString();

    static List<string> Queries(JsonElement report) => [.. report.GetProperty("queries").EnumerateArray().Select(query => query.ToString()).Order(StringComparer.Ordinal)];
}
