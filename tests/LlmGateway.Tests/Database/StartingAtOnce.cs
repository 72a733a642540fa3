using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.AspNetCore.Builder;

namespace Assay.LlmGateway.Database;

[Trait("Needs", "Servers")]
public sealed class StartingAtOnce
{
    [Fact]
    public async Task Should_migrate_an_empty_database_once()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("at_once");

        // Found by tests/Chaos: the second of two instances read that migrations were missing, waited, and applied them once more.
        await Should.NotThrowAsync(Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            var builder = WebApplication.CreateBuilder();
            new LlmGatewayModule().AddServices(builder, AssayDatabase.PostgreSql(database));
            await using var app = builder.Build();
            await app.PrepareAsync([], CancellationToken.None);
        }))));
    }
}
