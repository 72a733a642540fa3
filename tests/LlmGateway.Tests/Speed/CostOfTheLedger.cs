using System.Diagnostics;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.ServiceDefaults;
using Xunit.Abstractions;

namespace Assay.LlmGateway.Speed;

/// <summary>What a call costs beyond itself. The bounds are wide: this machine may be busy; the printed figures are what is looked at.</summary>
[Trait("Needs", "Servers")]
public sealed class CostOfTheLedger(ITestOutputHelper output)
{
    [Fact]
    public async Task Should_stay_small_per_call()
    {
        const int audits = 10, calls = 180;
        var engine = new TestEngine(concurrency: 64, prices: new EnginePrices { OutputUsdPerMTok = 1 });
        engine.Behaviour = async (query, _, ct) =>
        {
            await Task.Delay(20, ct);
            return TestEngine.Answer(query);
        };
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.PostgreSql, engine);
        await RunAsync(gateway, 5, calls);

        using var process = Process.GetCurrentProcess();
        var (cpu, clock) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        await RunAsync(gateway, audits, calls);
        process.Refresh();
        var perCall = (process.TotalProcessorTime - cpu).TotalMilliseconds / (audits * calls);

        output.WriteLine($"{perCall:0.00} ms of this process's CPU per call, {audits / Stopwatch.GetElapsedTime(clock).TotalSeconds:0.0} audits/s, {GC.GetTotalMemory(forceFullCollection: true) / 1_000_000} MB");
        perCall.ShouldBeLessThan(5);
    }

    static async Task RunAsync(GatewayHost gateway, int audits, int calls)
    {
        var requests = Enumerable.Range(0, audits).Select(_ => Requests.Audit(Requests.Queries(calls))).ToList();
        await Task.WhenAll(requests.Select(async request =>
        {
            (await gateway.OpenAsync(Requests.Open(request))).ShouldBeOfType<BudgetOpened>();
            var batches = request.Queries!.Chunk(45).Select(queries => Requests.Ask(request, queries: queries)).ToList();
            await Task.WhenAll(batches.Select(gateway.AskAsync));
            await gateway.CloseAsync(request.AuditId);
        }));
    }
}
