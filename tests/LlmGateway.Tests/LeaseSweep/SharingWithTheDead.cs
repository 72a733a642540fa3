using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.LlmGateway.LeaseSweep;

/// <summary>Who dies may have its share of an engine's slots on the wire: nobody takes it before the sweep has said what became of that.</summary>
public sealed class SharingWithTheDead
{
    [Theory]
    [InlineData(DatabaseProvider.Sqlite)]
    [InlineData(DatabaseProvider.PostgreSql), Trait("Needs", "Servers")]
    public async Task Should_leave_a_dead_owners_share_alone_until_it_is_swept(DatabaseProvider provider)
    {
        var (database, sweptFirst) = await WithOneBeforeAsync(provider, lease: TimeSpan.Zero, deadAt: DateTime.UtcNow);
        await using var gateway = await GatewayHost.StartOnAsync(database, new TestEngine(concurrency: 8), ("LlmGateway:SweepInterval", "01:00:00"));
        var (owner, sweep) = (gateway.Services.GetRequiredService<GatewayOwner>(), gateway.Services.GetRequiredService<OwnerSweep>());
        // The one sweep that comes by itself is over.
        await GatewayHost.EventuallyAsync(() => SweptAtAsync(gateway, sweptFirst), at => at is not null);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(owner.ShareOf(8)), share => share == 8);

        var dead = await AddAsync(database, lease: TimeSpan.Zero, deadAt: DateTime.UtcNow);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(owner.ShareOf(8)), share => share == 4);

        await sweep.RunAsync(CancellationToken.None);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(owner.ShareOf(8)), share => share == 8);
        (await SweptAtAsync(gateway, dead)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(DatabaseProvider.Sqlite)]
    [InlineData(DatabaseProvider.PostgreSql), Trait("Needs", "Servers")]
    public async Task Should_refuse_to_call_a_living_owner_swept(DatabaseProvider provider)
    {
        await using var gateway = await GatewayHost.StartAsync(provider, new TestEngine());
        await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(ledger => ledger.Instances.CountAsync()), count => count == 1);

        var refused = await Should.ThrowAsync<Exception>(() => gateway.QueryAsync(ledger => ledger.Instances.ExecuteUpdateAsync(row => row.SetProperty(instance => instance.SweptAt, DateTime.UtcNow))));

        refused.ToString().ShouldContain("ck_gateway_instance_swept");
    }

    /// <summary>Its sweep, which comes once an hour, is not waited for by a process that was started anew: it watches whom it follows.</summary>
    [Fact, Trait("Needs", "Servers")]
    public async Task Should_have_the_share_of_whom_it_follows_at_once()
    {
        var (database, before) = await WithOneBeforeAsync(DatabaseProvider.PostgreSql, lease: TimeSpan.FromMinutes(10), deadAt: null);

        await using var gateway = await GatewayHost.StartOnAsync(database, new TestEngine(concurrency: 8), ("LlmGateway:SweepInterval", "01:00:00"));

        await GatewayHost.EventuallyAsync(() => Task.FromResult(gateway.Services.GetRequiredService<GatewayOwner>().ShareOf(8)), share => share == 8);
        (await SweptAtAsync(gateway, before)).ShouldNotBeNull();
    }

    /// <summary>A ledger of nobody's in which an owner is listed that holds no lock.</summary>
    static async Task<(AssayDatabase Database, Guid Owner)> WithOneBeforeAsync(DatabaseProvider provider, TimeSpan lease, DateTime? deadAt)
    {
        var database = await GatewayHost.NewDatabaseAsync(provider);
        await using var ledger = GatewayHost.OpenLedger(database);
        await ledger.Database.MigrateAsync();
        return (database, await AddAsync(database, lease, deadAt));
    }

    static async Task<DateTime?> SweptAtAsync(GatewayHost gateway, Guid owner) => (await gateway.QueryAsync(ledger => ledger.Instances.SingleAsync(instance => instance.Owner == owner))).SweptAt;

    /// <summary>Adds an owner that holds no lock.</summary>
    static async Task<Guid> AddAsync(AssayDatabase database, TimeSpan lease, DateTime? deadAt)
    {
        var owner = Guid.CreateVersion7();
        await using var ledger = GatewayHost.OpenLedger(database);
        ledger.Instances.Add(new GatewayInstance { Owner = owner, Worker = "gone:1", StartedAt = DateTime.UtcNow, LeaseUntil = DateTime.UtcNow + lease, DeadAt = deadAt, Divisor = 2 });
        await ledger.SaveChangesAsync();
        return owner;
    }
}
