using Assay.TestServers;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests;

[Trait("Needs", "Servers")]
public sealed class When_private_servers_are_killed_and_started_again
{
    [Fact]
    public async Task Should_keep_the_data_of_postgres()
    {
        await using var postgres = await PrivatePostgres.StartAsync(fsync: true);
        var database = await postgres.CreateDatabaseAsync("kept");
        await ExecuteAsync(database, "CREATE TABLE note (id int)");
        await ExecuteAsync(database, "INSERT INTO note VALUES (7)");

        await postgres.KillAsync();
        await postgres.StartServerAsync();
        NpgsqlConnection.ClearAllPools();

        (await ExecuteAsync(database, "SELECT id FROM note")).ShouldBe(7);
    }

    [Fact]
    public async Task Should_listen_on_the_same_port_of_rabbitmq()
    {
        await using var broker = await PrivateRabbitMq.StartAsync();
        var host = await broker.CreateVirtualHostAsync("again");

        await broker.KillAsync();
        await broker.StartBrokerAsync();

        (await broker.GetAsync($"api/vhosts/{host}")).GetProperty("name").GetString().ShouldBe(host);
        (await broker.CountMessagesAsync(host, "nothing")).ShouldBeNull();
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }
}
