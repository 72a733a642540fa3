using Assay.Dashboard.Access;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Dashboard.Tests.Access;

[Trait("Needs", "Servers")]
public sealed class StartingAtOnce
{
    [Fact]
    public async Task Should_make_the_bootstrap_key_once()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("at_once");
        var instances = Enumerable.Range(0, 8).Select(_ =>
        {
            var builder = WebApplication.CreateBuilder();
            new DashboardModule().AddServices(builder, AssayDatabase.PostgreSql(database));
            return builder.Build();
        }).ToList();
        await instances[0].PrepareAsync([], CancellationToken.None);

        // Found by tests/Chaos: both of two instances found no key and made one; the second ended at start.
        await Task.WhenAll(instances.Select(instance => Task.Run(() =>
            instance.Services.GetRequiredService<IKeyStore>().EnsureKeyAsync(Roles.Operator, "first", "a secret of some length"))));

        (await instances[0].Services.GetRequiredService<IKeyStore>().ListAsync()).ShouldHaveSingleItem().Name.ShouldBe("first");
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }
}
