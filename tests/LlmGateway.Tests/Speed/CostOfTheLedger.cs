using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Xunit.Abstractions;

namespace Assay.LlmGateway.Speed;

/// <summary>What a call costs beyond its question and its answer. The bounds are wide: this machine may be busy; the printed figures are what is looked at.</summary>
[Trait("Needs", "Servers")]
public sealed class CostOfTheLedger(ITestOutputHelper output)
{
    const int Calls = 180;

    /// <summary><c>ASSAY_LEDGER_WARM=150</c> warms up with as many audits: the compiler has nothing left to do then.</summary>
    static readonly int Warm = int.TryParse(Environment.GetEnvironmentVariable("ASSAY_LEDGER_WARM"), out var asked) ? asked : 5;

    [Fact]
    public async Task Should_stay_small_per_call()
    {
        var bare = await MeasureAsync(Engine(), engine => GatewayHost.StartInsteadAsync(new BareGateway(), engine));
        var whole = await MeasureAsync(Engine(), engine => GatewayHost.StartAsync(DatabaseProvider.PostgreSql, engine, ("LlmGateway:DailyCeilingUsd", "1000")));

        output.WriteLine($"{await CostOfHttpAsync():0.000} ms of this process's CPU for a call over HTTP that is not stored");
        output.WriteLine($"{bare.PerCall:0.00} ms for the same questions over the same bus, with nothing stored, {bare.AuditsPerSecond:0.0} audits/s");
        output.WriteLine($"{whole.PerCall:0.00} ms of this process's CPU and {whole.DatabasePerCall:0.00} of the database's per call, {whole.AuditsPerSecond:0.0} audits/s, {GC.GetTotalMemory(forceFullCollection: true) / 1_000_000} MB");
        output.WriteLine($"{whole.PerCall - bare.PerCall + whole.DatabasePerCall:0.00} ms a call for the ledger");
        whole.PerCall.ShouldBeLessThan(5);
        whole.DatabasePerCall.ShouldBeLessThan(4);

        static TestEngine Engine() => new(concurrency: 64, prices: new EnginePrices { OutputUsdPerMTok = 1 })
        {
            Behaviour = async (query, _, ct) =>
            {
                await Task.Delay(20, ct);
                return TestEngine.Answer(query);
            },
        };
    }

    /// <summary>Rounds of ten audits at once; of each figure the middle.</summary>
    static async Task<(double PerCall, double DatabasePerCall, double AuditsPerSecond)> MeasureAsync(TestEngine engine, Func<TestEngine, Task<GatewayHost>> start)
    {
        const int audits = 10, rounds = 5;
        await using var gateway = await start(engine);
        await WarmUpAsync(gateway, engine);
        var database = await PrivatePostgres.Shared;
        using var process = Process.GetCurrentProcess();
        List<(double Process, double Database, double Rate)> measured = [];
        for (var round = 0; round < rounds; round++)
        {
            process.Refresh();
            var (cpu, databaseCpu, clock) = (process.TotalProcessorTime, database.ProcessorTime(), Stopwatch.GetTimestamp());
            await RunAsync(gateway, audits, Calls);
            process.Refresh();
            measured.Add(((process.TotalProcessorTime - cpu).TotalMilliseconds / (audits * Calls), (database.ProcessorTime() - databaseCpu).TotalMilliseconds / (audits * Calls), audits / Stopwatch.GetElapsedTime(clock).TotalSeconds));
            gateway.Forget();
            engine.Forget();
        }

        return (Middle(one => one.Process), Middle(one => one.Database), Middle(one => one.Rate));

        double Middle(Func<(double Process, double Database, double Rate), double> figure) => measured.Select(figure).Order().ElementAt(rounds / 2);
    }

    /// <summary>What the machine is worth just now: asking the fake provider and reading its JSON, 64 at once.</summary>
    static async Task<double> CostOfHttpAsync()
    {
        const int warm = 15_000, calls = 5_000;
        await using var provider = await FakeLlm.StartAsync("latency=20");
        using var client = new HttpClient { BaseAddress = provider.BaseUrl };
        await RunAsync(warm);
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        await RunAsync(calls);
        process.Refresh();
        return (process.TotalProcessorTime - cpu).TotalMilliseconds / calls;

        Task RunAsync(int count)
        {
            var next = 0;
            return Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
            {
                while (Interlocked.Increment(ref next) <= count)
                {
                    using var response = await client.PostAsJsonAsync("v1/chat/completions", new { model = "fake", messages = new[] { new { role = "user", content = "best earbuds" } } });
                    using var answer = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync());
                    answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().ShouldNotBeEmpty();
                }
            }));
        }
    }

    [Fact]
    public async Task Should_keep_a_lone_call_waiting_for_little_before_it_is_sent()
    {
        var sent = 0L;
        var engine = new TestEngine(concurrency: 64, prices: new EnginePrices { OutputUsdPerMTok = 1 });
        engine.Behaviour = (query, _, _) =>
        {
            Volatile.Write(ref sent, Stopwatch.GetTimestamp());
            return Task.FromResult(TestEngine.Answer(query));
        };
        // Its own server: nothing else is to be at work. And whoever polled would wait for seconds.
        await using var database = await PrivatePostgres.StartAsync();
        await using var gateway = await GatewayHost.StartOnAsync(AssayDatabase.PostgreSql(await database.CreateDatabaseAsync("gateway")), engine, ("LlmGateway:PollInterval", "00:00:10"), ("LlmGateway:SweepInterval", "00:00:10"), ("LlmGateway:DailyCeilingUsd", "1000"));
        await WarmUpAsync(gateway, engine);
        var request = Requests.Audit(Requests.Queries(60));
        (await gateway.OpenAsync(Requests.Open(request))).ShouldBeOfType<BudgetOpened>();

        // From the question on the bus to the bytes on the wire: two commits, nothing that polls.
        List<double> waits = [];
        foreach (var query in request.Queries!)
        {
            var asked = Stopwatch.GetTimestamp();
            await gateway.AskAsync(Requests.Ask(request, queries: [query]));
            waits.Add(Stopwatch.GetElapsedTime(asked, Volatile.Read(ref sent)).TotalMilliseconds);
        }

        waits.Sort();
        output.WriteLine($"{waits[30]:0.0} ms from question to wire in the middle, {waits[57]:0.0} ms at the 95th percentile");
        // Far above what it takes, however busy the machine is, and far below a poll.
        waits[30].ShouldBeLessThan(2000);
    }

    /// <summary>Of the 100 000 calls that it is meant for, 7 200 run here; <c>ASSAY_LEDGER_CALLS=100000</c> runs them all.</summary>
    [Fact]
    public async Task Should_keep_its_memory_however_many_calls_it_made()
    {
        const int audits = 10, mostGrowth = 15_000_000;
        var rounds = Math.Max(4, (int.TryParse(Environment.GetEnvironmentVariable("ASSAY_LEDGER_CALLS"), out var asked) ? asked : 7_200) / (audits * Calls));
        var engine = new TestEngine(concurrency: 64, prices: new EnginePrices { OutputUsdPerMTok = 1 });
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.PostgreSql, engine, ("LlmGateway:DailyCeilingUsd", "1000"));

        List<long> heap = [];
        for (var round = 0; round < rounds; round++)
        {
            await RunAsync(gateway, audits, Calls);
            gateway.Forget();
            engine.Forget();
            heap.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        output.WriteLine($"{rounds * audits * Calls} calls: {heap[0] / 1e6:0.0} MB on the heap after the first {audits * Calls}, {heap[rounds / 2] / 1e6:0.0} half-way, {heap[^1] / 1e6:0.0} at the end; {Environment.WorkingSet / 1e6:0} MB in all");
        // The first rounds fill pools and caches.
        (heap[^1] - heap[1]).ShouldBeLessThan(mostGrowth);
    }

    static async Task WarmUpAsync(GatewayHost gateway, TestEngine engine)
    {
        for (var done = 0; done < Warm; done += 5)
        {
            await RunAsync(gateway, 5, Calls);
            gateway.Forget();
            engine.Forget();
        }
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
