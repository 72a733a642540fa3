using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit.Abstractions;

namespace Assay.LlmGateway.LeaseSweep;

[Trait("Needs", "Servers")]
public sealed class LosingTheDatabase(ITestOutputHelper output)
{
    [Fact]
    public async Task Should_hold_the_owners_lock_again_once_the_database_is_back()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        var database = await postgres.CreateDatabaseAsync("owner");
        await using var ownerLock = new PostgresOwnerLock(new LedgerDatabase(AssayDatabase.PostgreSql(database)), Options.Create(new LlmGatewayOptions()));
        await ownerLock.HoldAsync(42, CancellationToken.None);

        await postgres.KillAsync();
        // Found by tests/Chaos: the first try left a connection that was never opened, and every later one failed on it for ever.
        await Should.ThrowAsync<NpgsqlException>(() => ownerLock.HoldAsync(42, CancellationToken.None));
        await Should.ThrowAsync<NpgsqlException>(() => ownerLock.HoldAsync(42, CancellationToken.None));
        await postgres.StartServerAsync();

        await ownerLock.HoldAsync(42, CancellationToken.None);
        (await IsHeldAsync(database)).ShouldBeTrue();
    }

    [Fact]
    public async Task Should_pay_nothing_twice_and_doubt_nothing_when_the_database_is_killed_under_calls_on_the_wire()
    {
        const int kills = 3, audits = 10, queries = 60;
        await using var postgres = await PrivatePostgres.StartAsync();
        await using var system = await GatewayProcesses.StartOnAsync(postgres, ["latency=200", "seed=5"]);
        await system.StartGatewayAsync();
        var requests = Enumerable.Range(0, audits).Select(_ => Requests.Audit(Requests.Queries(queries), ceilingUsd: 5)).ToList();
        foreach (var request in requests)
            await system.OpenAsync(Requests.Open(request));
        var asks = requests.Select(request => system.AskAsync(Requests.Ask(request))).ToList();
        await LosingAGateway.WaitForAsync(() => system.QueryAsync(async database => await database.Batches.CountAsync() == audits));

        List<int> onTheWire = [];
        for (var kill = 0; kill < kills; kill++)
        {
            var before = LosingAGateway.Received(await system.Provider.StatsAsync());
            var sending = 0;
            // Calls leave and return in waves: a kill between two of them would hit none.
            await LosingAGateway.WaitForAsync(async () => asks.TrueForAll(ask => ask.IsCompleted)
                || (LosingAGateway.Received(await system.Provider.StatsAsync()) > before + 40
                    && (sending = await system.QueryAsync(database => database.PaidTries.CountAsync(attempt => attempt.State == TryStates.Sending))) > 0));
            onTheWire.Add(sending);
            await postgres.KillAsync();
            NpgsqlConnection.ClearAllPools();
            // The provider answers everything while the ledger is away: these outcomes can only wait in memory.
            await LosingAGateway.WaitForAsync(async () => await system.Provider.StatsAsync() is var stats && stats.GetProperty("billed").GetInt32() == LosingAGateway.Received(stats));
            await postgres.StartServerAsync();
        }

        var answered = await Task.WhenAll(asks);
        var bill = await system.Provider.StatsAsync();
        output.WriteLine($"{string.Join(", ", onTheWire)} calls on the wire at the kills; {LosingAGateway.Received(bill)} received, {bill.GetProperty("duplicateBilled")} billed twice");
        onTheWire.Max().ShouldBeGreaterThan(0, "the kills hit calls on the wire");
        bill.GetProperty("duplicateBilled").GetInt32().ShouldBe(0, system.LogTails);
        answered.SelectMany(one => one.Answers).ShouldAllBe(answer => answer.State == CallStates.Answered);
        bill.GetProperty("billed").GetInt32().ShouldBe(audits * queries);
        foreach (var request in requests)
            await system.CloseAsync(request.AuditId);
        await system.ShouldBalanceAsync();
        await LosingAGateway.ShouldEqualTheBillAsync(system, bill);
    }

    static async Task<bool> IsHeldAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 42)", connection);
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
