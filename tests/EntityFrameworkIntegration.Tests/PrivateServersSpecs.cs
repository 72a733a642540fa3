using System.Net.Sockets;
using Assay.EntityFrameworkIntegration.Tests.Crashes;
using Assay.EntityFrameworkIntegration.Tests.Orders;
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

[Trait("Needs", "Servers")]
public sealed class When_a_test_host_is_killed
{
    [Fact]
    public async Task Should_leave_no_server_and_no_folder_behind()
    {
        var (folders, ports) = await ServerOwner.StartAndKillAsync(living =>
        {
            foreach (var folder in living)
                ProcessesOf(folder).ShouldNotBeEmpty($"processes of {folder} while their owner lives");
            return Task.CompletedTask;
        });

        Func<Task<string>> left = () => Task.FromResult(string.Join(", ", folders.SelectMany(ProcessesOf)));
        await left.ShouldBecomeAsync("", "processes of the killed host's servers");
        Func<Task<bool>> folderLeft = () => Task.FromResult(folders.Any(Directory.Exists));
        await folderLeft.ShouldBecomeAsync(false, "folders of the killed host's servers");
        foreach (var port in ports)
            (await AcceptsAsync(port)).ShouldBeFalse($"port {port}");
    }

    /// <summary>Every process that names the folder: servers, and the shells that guard them.</summary>
    private static List<string> ProcessesOf(string folder) =>
        [.. from process in Directory.EnumerateDirectories("/proc")
            where int.TryParse(Path.GetFileName(process), out _)
            let command = CommandOf(process)
            where command.Contains(folder, StringComparison.Ordinal)
            select $"{Path.GetFileName(process)} {command.Replace('\0', ' ')}"];

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
