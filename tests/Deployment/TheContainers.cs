using System.Globalization;
using Assay.TestServers;
using Npgsql;

namespace Assay.Deployment;

/// <summary>No container engine runs in the tests: Dockerfile and docker-compose.yml are read, the same topology is tested with processes.</summary>
public sealed class TheContainers
{
    [Fact]
    public async Task Should_pass_the_lint_of_dockerfile_and_compose_file()
    {
        var (exitCode, output) = await Shell.RunAsync("node", ["build/lint/containers.mjs"]);

        exitCode.ShouldBe(0, output);
        output.ShouldContain("0 findings");
    }

    [Theory]
    [InlineData("docker-compose.yml", "read_only: true\n  tmpfs", "tmpfs", "saga: is not read-only")]
    [InlineData("docker-compose.yml", "condition: service_healthy }\n    postgres", "condition: service_started }\n    postgres", "does not wait for broker and database")]
    [InlineData("docker-compose.yml", "RabbitMq__PasswordFile: /run/secrets/saga-broker-password", "RabbitMq__Password: hunter2", "holds a secret")]
    [InlineData("docker-compose.yml", "\"127.0.0.1:5080:8080\"", "\"5080:8080\"", "open to other machines")]
    [InlineData("Dockerfile", "USER app", "USER root", "runs as root")]
    [InlineData("Dockerfile", "COPY building-blocks/PublicSuffix/PublicSuffix.csproj building-blocks/PublicSuffix/", "", "without building-blocks/PublicSuffix")]
    [InlineData("Dockerfile", "EXPOSE 8080", "EXPOSE many", "Dockerfile:")]
    public async Task Should_not_pass_when_it_is_broken(string file, string part, string replacement, string finding)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(SharedFolder.RepositoryRoot, file));
        text.ShouldContain(part);
        var folder = Directory.CreateTempSubdirectory("assay-lint-");
        try
        {
            var broken = Path.Combine(folder.FullName, file);
            await File.WriteAllTextAsync(broken, text.Replace(part, replacement, StringComparison.Ordinal));

            var (exitCode, output) = await Shell.RunAsync("node", ["build/lint/containers.mjs", $"--{(file == "Dockerfile" ? "dockerfile" : "compose")}={broken}"]);

            exitCode.ShouldBe(1, output);
            output.ShouldContain(finding);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_be_accepted_by_docker_compose_where_it_is_installed()
    {
        // The build installs docker-compose where it may; where it may not, the lint above has read the file's structure.
        var installed = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "docker-compose")));

        var (exitCode, output) = await Shell.RunAsync("node", installed ? ["build/lint/containers.mjs", "--run-compose"] : ["build/lint/containers.mjs"]);

        exitCode.ShouldBe(0, output);
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_make_each_service_a_database_that_only_it_may_use_and_that_orders_text_by_its_bytes()
    {
        // The official image's own order is a language's; this one stands for any that is not the order of bytes by name.
        await using var postgres = await PrivatePostgres.StartAsync(locale: "C.UTF-8");
        string[] services = ["saga", "gateway", "analyzer", "dashboard"];
        var secrets = Directory.CreateTempSubdirectory("assay-secrets-");
        try
        {
            foreach (var service in services)
                await File.WriteAllTextAsync(Path.Combine(secrets.FullName, $"{service}-database-password"), $"it's {service}'s\n");
            var (exitCode, output) = await Shell.RunAsync("sh", ["deploy/postgres/create-databases.sh"], new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["SECRETS"] = secrets.FullName, ["PGHOST"] = "127.0.0.1", ["PGPORT"] = postgres.Port.ToString(CultureInfo.InvariantCulture),
            });
            exitCode.ShouldBe(0, output);
        }
        finally
        {
            secrets.Delete(recursive: true);
        }

        await using var connection = new NpgsqlConnection(postgres.AdminConnectionString);
        await connection.OpenAsync();
        const string sql = """
            SELECT datname || ' of ' || pg_get_userbyid(datdba) || ': ' || datcollate || ', ' || datctype || ', ' ||
                   (SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'assay%' AND has_database_privilege(rolname, d.oid, 'CONNECT'))
            FROM pg_database d WHERE datname LIKE 'assay%'
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        List<string> made = [];
        while (await reader.ReadAsync())
            made.Add(reader.GetString(0));
        made.ShouldBe(services.Select(service => $"assay_{service} of assay_{service}: C, C.UTF-8, assay_{service}"), ignoreOrder: true);
    }
}
