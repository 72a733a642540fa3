using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Assay.ServiceDefaults;

/// <summary>Brings one module's schema up to date before anything else of the host starts.</summary>
sealed partial class DatabaseMigration(Type contextType, DatabaseProvider provider)
{
    /// <summary>Key of the advisory lock under which a service's instances migrate; each service has its database, so one key does for all.</summary>
    const long MigrationLock = 0x4153_5341_594D_4947;

    volatile Step step;

    enum Step
    {
        Waiting,
        Migrating,
        Done,
    }

    /// <summary>The service whose database it is, for example <c>AuditSaga</c>; names the connection string and the health checks.</summary>
    public string Service { get; } = contextType.Name.Replace("DbContext", "", StringComparison.Ordinal);

    /// <summary>Why the database cannot be used yet; null once its schema is up to date.</summary>
    public string? Missing => step switch
    {
        Step.Waiting => Unreachable,
        Step.Migrating => $"The schema of {Service} is being brought up to date, by this instance or another.",
        _ => null,
    };

    string Unreachable => $"It cannot reach the database of {Service} and tries again every {TransientFaults.RetryAfter.TotalSeconds:0} s: check the server and the setting ConnectionStrings__{Service}.";

    /// <summary>Whether the database answers. Until it is migrated this says what the migration found, so that nothing else touches a half-made schema.</summary>
    public async Task<HealthCheckResult> CheckDatabaseAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        if (step != Step.Done)
            return step == Step.Waiting ? HealthCheckResult.Unhealthy(Unreachable) : HealthCheckResult.Healthy("It answers.");
        await using var scope = services.CreateAsyncScope();
        try
        {
            await ((DbContext)scope.ServiceProvider.GetRequiredService(contextType)).Database.ExecuteSqlRawAsync("SELECT 1", cancellationToken);
            return HealthCheckResult.Healthy("It answers.");
        }
        catch (Exception exception)
        {
            return HealthCheckResult.Unhealthy(Unreachable, exception);
        }
    }

    /// <summary>Whether the schema is up to date.</summary>
    public HealthCheckResult CheckSchema() => step == Step.Done ? HealthCheckResult.Healthy("The schema is up to date.") : HealthCheckResult.Unhealthy(Missing);

    /// <summary>
    /// Waits for the database, then applies what is missing. Several instances may start at once: a lock decides who migrates, the others
    /// find the work done.
    /// </summary>
    /// <exception cref="SchemaTooNewException">The schema was made by a newer version of the service.</exception>
    public async Task RunAsync(IServiceProvider services, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            await TransientFaults.OnceReachableAsync(
                async () =>
                {
                    await using var scope = services.CreateAsyncScope();
                    await MigrateAsync((DbContext)scope.ServiceProvider.GetRequiredService(contextType), logger, cancellationToken);
                },
                exception =>
                {
                    step = Step.Waiting;
                    DatabaseUnreachable(logger, contextType.Name, Service, TransientFaults.RetryAfter, exception.Message);
                },
                cancellationToken);
            step = Step.Done;
        }
        catch (NpgsqlException exception)
        {
            throw new DatabaseUnusableException($"The database of {Service} cannot be used: {Causes(exception)} Check the setting ConnectionStrings__{Service}: server, user, password, and with TLS the server's name and the file of authorities.", exception);
        }
    }

    /// <summary>What failed and why: of a refused certificate only the inner exception speaks.</summary>
    static string Causes(Exception exception) => exception.InnerException is { } inner ? $"{exception.Message}: {Causes(inner)}" : exception.Message;

    async Task MigrateAsync(DbContext context, ILogger logger, CancellationToken cancellationToken)
    {
        if (provider != DatabaseProvider.PostgreSql || !await context.Database.CanConnectAsync(cancellationToken))
        {
            await ApplyAsync(context, logger, cancellationToken);
            if (provider == DatabaseProvider.PostgreSql)
                await context.UseLz4Async(cancellationToken);
            return;
        }

        step = Step.Migrating;
        // EF's own lock is taken after it has read which migrations are missing: of two instances on an empty database one would fail.
        // Outside the pool, so that the lock goes with the connection whatever happens.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(context.Database.GetConnectionString()) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection) { Parameters = { new() { Value = MigrationLock } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
        // EF reads its history to see whether there is one, and logs the refusal as an error: a first start looked broken.
        await context.GetService<IHistoryRepository>().CreateIfNotExistsAsync(cancellationToken);
        await ApplyAsync(context, logger, cancellationToken);
        await context.UseLz4Async(cancellationToken);
    }

    async Task ApplyAsync(DbContext context, ILogger logger, CancellationToken cancellationToken)
    {
        var known = context.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        var applied = (await context.Database.GetAppliedMigrationsAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
        step = Step.Migrating;
        var unknown = applied.Except(known, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
            throw new SchemaTooNewException($"The database of {contextType.Name} holds migration {unknown[^1]}, which this version does not know: it was made by a newer version. Start that version, or restore a backup from before the upgrade.");
        if (known.IsSubsetOf(applied))
            return;

        if (provider == DatabaseProvider.Sqlite && applied.Count > 0)
        {
            // EF's lock row outlives a killed process and would be waited for without end; one process owns the file, so it is nobody's.
            await context.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellationToken);
        }

        await context.Database.MigrateAsync(cancellationToken);
        Migrated(logger, contextType.Name, known.Count - applied.Count);
    }

    [LoggerMessage(LogLevel.Information, "Migrated the database of {Context}: {Count} migrations applied")]
    static partial void Migrated(ILogger logger, string context, int count);

    [LoggerMessage(LogLevel.Warning, "Cannot reach the database of {Context} yet; trying again in {RetryAfter}. Check the server and the setting ConnectionStrings__{Setting}. {Cause}")]
    static partial void DatabaseUnreachable(ILogger logger, string context, string setting, TimeSpan retryAfter, string cause);
}

/// <summary>The schema in the database is newer than this version of the service.</summary>
public sealed class SchemaTooNewException(string message) : Exception(message);

/// <summary>The database answers and refuses, or is not the one the settings describe: waiting would not help.</summary>
public sealed class DatabaseUnusableException(string message, Exception inner) : Exception(message, inner);
