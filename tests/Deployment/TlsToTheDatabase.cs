using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.TestServers;
using Npgsql;

namespace Assay.Deployment;

/// <summary>A database whose certificate was signed by an authority of our own: a service that trusts it works with it encrypted, no other does.</summary>
[Trait("Needs", "Servers")]
public sealed class TlsToTheDatabase : IAsyncLifetime
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    TestAuthority? authority;
    PrivatePostgres? postgres;

    public async Task InitializeAsync()
    {
        authority = await TestAuthority.CreateAsync();
        postgres = await PrivatePostgres.StartAsync(certificates: authority.Folder);
    }

    public async Task DisposeAsync()
    {
        if (postgres is not null)
            await postgres.DisposeAsync();
        authority?.Dispose();
    }

    [Fact]
    public async Task Should_migrate_and_work_over_an_encrypted_connection_where_the_authority_is_trusted()
    {
        var database = await postgres!.CreateDatabaseAsync("assay_analyzer");
        // The service needs no broker to reach its database.
        await using var service = Service($"{database};SSL Mode=VerifyFull;Root Certificate={authority!.Signer}");
        service.Start();

        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        using var limit = new CancellationTokenSource(Bound);
        while (!await MissesOnlyTheBrokerAsync(http, service, limit.Token))
            await Task.Delay(100, limit.Token);

        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(limit.Token);
        await using var command = new NpgsqlCommand("SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND pid <> pg_backend_pid()", connection);
        await using var reader = await command.ExecuteReaderAsync(limit.Token);
        (await reader.ReadAsync(limit.Token)).ShouldBeTrue();
        reader.GetInt64(0).ShouldBeGreaterThan(0, "the service's connections are encrypted");
        reader.GetInt64(1).ShouldBe(0, "none is not");
    }

    [Theory]
    [InlineData("127.0.0.1", "other", "an authority that did not sign it")]
    [InlineData("127.0.0.1", "none", "the system's authorities, which do not know ours")]
    [InlineData("localhost", "signer", "a name that the certificate does not hold")]
    public async Task Should_end_and_name_the_setting_where_the_certificate_is_not_trusted(string host, string trusted, string why)
    {
        var database = await postgres!.CreateDatabaseAsync("assay_analyzer");
        var file = trusted switch { "signer" => $";Root Certificate={authority!.Signer}", "other" => $";Root Certificate={authority!.Other}", _ => "" };
        await using var service = Service($"{database.Replace("127.0.0.1", host, StringComparison.Ordinal)};SSL Mode=VerifyFull{file}");
        service.Start();

        await service.WaitForExitAsync(Bound);

        using var limit = new CancellationTokenSource(Bound);
        service.LogTail.ShouldContain("ConnectionStrings__Analyzer", Case.Sensitive, why);
        service.LogTail.ShouldContain("certificate", Case.Insensitive, why);
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(limit.Token);
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", connection);
        (await command.ExecuteScalarAsync(limit.Token)).ShouldBe(0L, "nothing was written");
    }

    static ServiceProcess Service(string database) => new("Analyzer", new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ConnectionStrings__Analyzer"] = database,
        ["RabbitMq__Host"] = "127.0.0.1",
        ["RabbitMq__Port"] = "9",
    });

    static async Task<bool> MissesOnlyTheBrokerAsync(HttpClient http, ServiceProcess service, CancellationToken cancellationToken)
    {
        service.HasExited.ShouldBeFalse(service.LogTail);
        try
        {
            using var response = await http.GetAsync(new Uri(service.Url, "health/ready"), cancellationToken);
            response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            var ready = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            return ready.GetProperty("missing").EnumerateArray().Select(name => name.GetString()).SequenceEqual(["broker", "start"], StringComparer.Ordinal);
        }
        catch (HttpRequestException)
        {
            // The process does not listen yet.
            return false;
        }
    }
}
