using System.Text.RegularExpressions;
using Assay.TestServers;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests.Benchmarks;

/// <summary>What the four services ask their databases while there is nothing to do. They must have been built beside this project.</summary>
internal static partial class IdleBenchmark
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        await CountStatementsAsync(postgres);
        await using var rabbit = await PrivateRabbitMq.StartAsync();
        await using var services = await AssayServices.StartAsync(postgres, rabbit, new Dictionary<string, string>(StringComparer.Ordinal));
        await Task.Delay(Settle);
        await ExecuteAsync(postgres, "SELECT pg_stat_statements_reset()");
        await Task.Delay(Watch);

        await using var connection = new NpgsqlConnection(postgres.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT datname, calls, query FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid WHERE datname <> 'postgres' ORDER BY datname, calls DESC", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<(string Database, long Calls, string Query)>();
        while (await reader.ReadAsync())
            found.Add((reader.GetString(0), reader.GetInt64(1), Blanks().Replace(reader.GetString(2), " ")));
        foreach (var database in found.GroupBy(statement => statement.Database, StringComparer.Ordinal))
        {
            Console.WriteLine($"{database.Key}: {database.Sum(statement => statement.Calls) / Watch.TotalSeconds:0.00} statements a second");
            foreach (var (_, calls, query) in database)
                Console.WriteLine($"  {calls / Watch.TotalSeconds,6:0.00}  {query[..Math.Min(query.Length, 150)]}");
        }

        return 0;
    }

    /// <summary>Loads <c>pg_stat_statements</c>, which takes a restart; it is read in the maintenance database.</summary>
    public static async Task CountStatementsAsync(PrivatePostgres postgres)
    {
        await ExecuteAsync(postgres, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
        await postgres.StopAsync();
        await postgres.StartServerAsync();
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync(postgres, "CREATE EXTENSION pg_stat_statements");
    }

    private static async Task ExecuteAsync(PrivatePostgres postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blanks();
}
