using System.Diagnostics;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>Three broker nodes and two instances of each service, as processes: nodes are lost while audits run, and the audits go on.</summary>
[Trait("Needs", "Servers")]
public sealed class ABrokerCluster
{
    [Fact]
    public async Task Should_go_on_with_its_audits_when_a_node_is_lost()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        await using var broker = await PrivateRabbitMq.StartAsync(Definitions.OneVirtualHost, nodes: 3);
        await using var services = await AssayServices.PrepareAsync(postgres, broker, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RabbitMq__Nodes"] = string.Join(',', broker.Ports.Select(port => $"{broker.Host}:{port}")),
            ["Engines__chatgpt__Kind"] = "scripted", ["Engines__chatgpt__MinLatency"] = "00:00:02", ["Engines__chatgpt__MaxLatency"] = "00:00:03",
            ["Engines__chatgpt__InputUsdPerMTok"] = "1", ["Engines__chatgpt__OutputUsdPerMTok"] = "1", ["Engines__advisor__Kind"] = "scripted",
        }, "assay");
        foreach (var name in AssayServices.Names)
            services.Add(name);
        await services.StartAllAsync();
        await EveryQuorumQueueLivesOnThreeNodesAsync(broker, services.VirtualHost);
        using var audits = new AuditsOverRest(services);
        var one = await audits.RequestAsync("Clustered one");
        await audits.WaitForAsync(one, "Asking", "Scoring", "Advising");

        // The node that every service is connected to, and that leads the queues they declared.
        var since = Stopwatch.StartNew();
        await broker.KillNodeAsync(0);

        await ShouldCompleteAsync(audits, one);
        since.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(3), "it ends long before its stall timeout of 5 minutes");
        // A whole audit without that node, and every instance ready.
        await ShouldCompleteAsync(audits, await audits.RequestAsync("Clustered two"));
        await Task.WhenAll(services.Instances.Select(instance => instance.WaitUntilReadyAsync(ServiceProcess.ReadyAgainWithin)));
    }

    static async Task ShouldCompleteAsync(AuditsOverRest audits, string id)
    {
        var status = await audits.WaitForAsync(id, "Completed", "Failed", "Cancelled");
        status.GetProperty("status").GetString().ShouldBe("Completed", status.ToString());
        await audits.ShouldBePaidOnceAsync(id, status.GetProperty("plannedCalls").GetInt64());
    }

    static async Task EveryQuorumQueueLivesOnThreeNodesAsync(PrivateRabbitMq broker, string virtualHost)
    {
        // The management numbers lag.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var queues = (await broker.GetAsync($"api/queues/{virtualHost}")).EnumerateArray().Where(queue => queue.GetProperty("type").GetString() == "quorum")
                .Select(queue => (Name: queue.GetProperty("name").GetString()!, Members: queue.TryGetProperty("members", out var members) ? members.GetArrayLength() : 0)).ToList();
            if (queues.Count >= MessagesInCode.Services.Keys.Sum(service => MessagesInCode.QueuesOf(service).Count) && queues.TrueForAll(queue => queue.Members == 3))
                return;
            limit.IsCancellationRequested.ShouldBeFalse($"not every quorum queue lives on three nodes: {string.Join(", ", queues)}");
            await Task.Delay(500, CancellationToken.None);
        }
    }
}
