using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway.LeaseSweep;

/// <summary>Real processes, killed and frozen for real; the provider's own count is the judge.</summary>
[Trait("Needs", "Servers")]
public sealed class LosingAGateway
{
    [Fact]
    public async Task Should_pay_nothing_twice_when_the_gateway_is_killed_again_and_again()
    {
        const int kills = 5, audits = 10, queries = 40;
        await using var system = await GatewayProcesses.StartAsync(["latency=200", "seed=7"]);
        var gateway = await system.StartGatewayAsync();
        var requests = Enumerable.Range(0, audits).Select(_ => Requests.Audit(Requests.Queries(queries), ceilingUsd: 5)).ToList();
        foreach (var request in requests)
            await system.OpenAsync(Requests.Open(request));
        var asks = requests.Select(request => system.AskAsync(Requests.Ask(request))).ToList();

        var onTheWire = 0;
        for (var kill = 0; kill < kills; kill++)
        {
            var before = Received(await system.Provider.StatsAsync());
            await WaitForAsync(async () => Received(await system.Provider.StatsAsync()) is var now && now > before + 20 || asks.TrueForAll(ask => ask.IsCompleted));
            await gateway.KillAsync();
            // Nothing but the dead process could change these rows: they are what was on the wire at the kill.
            var sending = await system.QueryAsync(database => database.PaidTries.CountAsync(attempt => attempt.State == TryStates.Sending));
            sending.ShouldBeLessThanOrEqualTo(64, "no more is on the wire than the engine has slots");
            onTheWire += sending;
            gateway = await system.StartGatewayAsync();
        }

        var answered = await Task.WhenAll(asks);
        var stats = await system.Provider.StatsAsync();
        stats.GetProperty("duplicateBilled").GetInt32().ShouldBe(0, system.LogTails);
        answered.Length.ShouldBe(audits, "every audit's batch ended");
        var inDoubt = answered.SelectMany(one => one.Answers).Count(answer => answer.State == CallStates.InDoubt);
        inDoubt.ShouldBeGreaterThan(0, "the kills hit calls on the wire");
        inDoubt.ShouldBeLessThanOrEqualTo(onTheWire, "nothing else is in doubt");
        answered.SelectMany(one => one.Answers).ShouldAllBe(answer => answer.State == CallStates.Answered || answer.State == CallStates.InDoubt);
        foreach (var request in requests)
            await system.CloseAsync(request.AuditId);
        await system.ShouldBalanceAsync();
        await ShouldEqualTheBillAsync(system, stats);

        // With permission exactly the doubtful ones are paid again.
        var billed = stats.GetProperty("billed").GetInt32();
        foreach (var request in requests)
            await system.OpenAsync(Requests.Open(request, attempt: 2, askInDoubtAgain: true));
        var again = await Task.WhenAll(requests.Select(request => system.AskAsync(Requests.Ask(request, attempt: 2))));
        again.SelectMany(one => one.Answers).ShouldAllBe(answer => answer.State == CallStates.Answered);
        (await system.Provider.StatsAsync()).GetProperty("billed").GetInt32().ShouldBe(billed + inDoubt);
        await system.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Should_pay_nothing_twice_when_a_gateway_is_frozen_for_longer_than_its_lease()
    {
        await using var system = await GatewayProcesses.StartAsync(["latency=300", "seed=3"], ("LlmGateway__Lease", "00:00:04"), ("Engines__test__MaxConcurrency", "8"));
        var frozen = await system.StartGatewayAsync();
        var request = Requests.Audit(Requests.Queries(60));
        await system.OpenAsync(Requests.Open(request));
        var ask = system.AskAsync(Requests.Ask(request));
        await WaitForAsync(async () => Received(await system.Provider.StatsAsync()) >= 8);

        frozen.Freeze();
        await system.StartGatewayAsync();
        await WaitForAsync(() => system.QueryAsync(database => database.Instances.AnyAsync(instance => instance.DeadAt != null)));
        await Task.Delay(TimeSpan.FromSeconds(1));
        frozen.Thaw();

        var answered = await ask;
        answered.Answers.ShouldAllBe(answer => answer.State == CallStates.Answered || answer.State == CallStates.InDoubt);
        await system.CloseAsync(request.AuditId);
        var stats = await system.Provider.StatsAsync();
        stats.GetProperty("duplicateBilled").GetInt32().ShouldBe(0, system.LogTails);
        await system.ShouldBalanceAsync();
        await ShouldEqualTheBillAsync(system, stats);
    }

    [Fact]
    public async Task Should_end_every_call_when_the_provider_fails_often()
    {
        await using var system = await GatewayProcesses.StartAsync(
            ["latency=5", "seed=11", "p429=0.05", "p500=0.03", "p529=0.02", "preset=0.01", "pempty=0.01", "pbadjson=0.01", "ptrunc=0.01", "plength=0.01", "retryafter=0.1"],
            ("LlmGateway__BreakerMinimumThroughput", "1000"));
        await system.StartGatewayAsync();
        var requests = Enumerable.Range(0, 10).Select(_ => Requests.Audit(Requests.Queries(40))).ToList();
        foreach (var request in requests)
            await system.OpenAsync(Requests.Open(request));

        var answered = await Task.WhenAll(requests.Select(request => system.AskAsync(Requests.Ask(request))));

        foreach (var one in answered)
        {
            one.Answers.Count.ShouldBe(40);
            one.Answers.ShouldAllBe(answer => answer.State == CallStates.Answered || answer.Reason != null, "every gap has its reason");
        }

        answered.Count(one => one.Answers.Count(answer => answer.State == CallStates.Answered) >= 0.8 * 40).ShouldBeGreaterThanOrEqualTo(9);
        foreach (var request in requests)
            await system.CloseAsync(request.AuditId);
        var stats = await system.Provider.StatsAsync();
        stats.GetProperty("duplicateBilled").GetInt32().ShouldBe(0);
        await system.ShouldBalanceAsync();
        await ShouldEqualTheBillAsync(system, stats);
    }

    /// <summary>Settled calls equal the bill to a micro-dollar each; the whole ledger is never below it.</summary>
    internal static async Task ShouldEqualTheBillAsync(GatewayProcesses system, JsonElement stats)
    {
        var billMicroUsd = (decimal)stats.GetProperty("usd").GetDouble() * 1_000_000m;
        var tries = await system.QueryAsync(database => database.PaidTries.AsNoTracking().ToListAsync());
        var total = tries.Sum(attempt => attempt.SpentMicroUsd);
        ((decimal)total).ShouldBeGreaterThanOrEqualTo(billMicroUsd - 0.5m, "the ledger is never below the bill");
        if (tries.TrueForAll(attempt => attempt.SpentMicroUsd < attempt.ReservedMicroUsd))
            Math.Abs(total - billMicroUsd).ShouldBeLessThanOrEqualTo(tries.Count);
        // What is in doubt, or came without usage data, counts at its worst case; everything else was billed just so.
        var settled = tries.Where(attempt => attempt.SpentMicroUsd < attempt.ReservedMicroUsd).Sum(attempt => attempt.SpentMicroUsd);
        ((decimal)settled).ShouldBeLessThanOrEqualTo(billMicroUsd + tries.Count, "what is settled was billed");
    }

    internal static int Received(JsonElement stats) => stats.GetProperty("received").GetInt32();

    internal static async Task WaitForAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(20, limit.Token);
    }
}
