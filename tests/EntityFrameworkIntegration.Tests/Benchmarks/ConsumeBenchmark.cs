using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;

namespace Assay.EntityFrameworkIntegration.Tests.Benchmarks;

/// <summary>Only the hot path, warm, again and again: what one message through inbox, saga and outbox costs.</summary>
internal static class ConsumeBenchmark
{
    public static async Task<int> RunAsync(int rounds)
    {
        await using var postgres = await PrivatePostgres.StartAsync(fsync: true);
        await using var rabbit = await PrivateRabbitMq.StartAsync();
        var surroundings = new OrderSurroundings(await postgres.CreateDatabaseAsync("orders"), IsPostgres: true, "/", rabbit.Port);
        await using var host = await OrderHost.StartAsync(surroundings);
        await DeliveryBenchmark.SagasAsync(host, "warm-up", sagas: 20, messages: 150);
        for (var round = 1; round <= rounds; round++)
            await DeliveryBenchmark.SagasAsync(host, $"round {round}: 20 sagas x 50 messages, each publishing one", sagas: 20, messages: 50);
        return 0;
    }
}
