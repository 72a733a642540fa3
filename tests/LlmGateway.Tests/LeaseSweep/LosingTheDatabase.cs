using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Assay.LlmGateway.LeaseSweep;

[Trait("Needs", "Servers")]
public sealed class LosingTheDatabase
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

    static async Task<bool> IsHeldAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 42)", connection);
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
