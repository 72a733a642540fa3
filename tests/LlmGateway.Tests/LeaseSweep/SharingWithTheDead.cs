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
        await using var gateway = await GatewayHost.StartAsync(provider, new TestEngine(concurrency: 8), ("LlmGateway:SweepInterval", "01:00:00"));
        var (owner, sweep) = (gateway.Services.GetRequiredService<GatewayOwner>(), gateway.Services.GetRequiredService<OwnerSweep>());
        await GatewayHost.EventuallyAsync(() => Task.FromResult(owner.ShareOf(8)), share => share == 8);
        // The first sweep, at the start, is over.
        await sweep.RunAsync(CancellationToken.None);

        var dead = await AddDeadAsync(gateway);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(owner.ShareOf(8)), share => share == 4);

        await sweep.RunAsync(CancellationToken.None);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(owner.ShareOf(8)), share => share == 8);
        (await gateway.QueryAsync(ledger => ledger.Instances.SingleAsync(instance => instance.Owner == dead))).SweptAt.ShouldNotBeNull();
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

    static async Task<Guid> AddDeadAsync(GatewayHost gateway)
    {
        var owner = Guid.CreateVersion7();
        await gateway.QueryAsync(async ledger =>
        {
            ledger.Instances.Add(new GatewayInstance { Owner = owner, Worker = "gone:1", StartedAt = DateTime.UtcNow, LeaseUntil = DateTime.UtcNow, DeadAt = DateTime.UtcNow, Divisor = 2 });
            return await ledger.SaveChangesAsync();
        });
        return owner;
    }
}
