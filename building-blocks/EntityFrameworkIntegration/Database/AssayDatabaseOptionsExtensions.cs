using System.Collections.Concurrent;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace MassTransit;

/// <summary>Connects a DbContext to PostgreSQL or SQLite with the habits that the messaging tables count on.</summary>
public static class AssayDatabaseOptionsExtensions
{
    private const int LockTimeoutSeconds = 5;

    // A DbContext that is not pooled has its options made anew for every message, and parsing is not cheap.
    private static readonly ConcurrentDictionary<string, string> ContextConnections = new(StringComparer.Ordinal);

    /// <summary>
    /// PostgreSQL with <c>lock_timeout</c> and <c>idle_in_transaction_session_timeout</c> of 5 s and TCP keepalive, so that a frozen
    /// process cannot hold a row for ever, automatic preparation of repeated statements, no encryption by GSS, and a pool of at most ten
    /// connections or four for each processor. What the connection string says itself wins.
    /// Its pooled connections are not reset: do not leave session state (advisory session locks, SET, LISTEN, temporary tables) on a
    /// DbContext's connection; open one of your own with <see cref="Harden"/> for that.
    /// </summary>
    /// <param name="builder">The options to set.</param>
    /// <param name="connectionString">An Npgsql connection string.</param>
    /// <param name="configure">Further provider options. <c>EnableRetryOnFailure</c> is refused at start: the bus retries the whole message.</param>
    public static DbContextOptionsBuilder UseAssayPostgres(this DbContextOptionsBuilder builder, string connectionString, Action<NpgsqlDbContextOptionsBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseNpgsql(ContextConnections.GetOrAdd(connectionString, ForContext), configure).AddInterceptors(RowLocks.Instance);
    }

    // Pooled connections are not reset between uses: one more statement for every transaction, needed only by sessions that keep state,
    // and a DbContext's keep none. An open transaction is rolled back in any case.
    private static string ForContext(string connectionString) => new NpgsqlConnectionStringBuilder(Harden(connectionString)) { NoResetOnClose = true }.ConnectionString;

    /// <summary>
    /// The connections of a service, unless its connection string says otherwise. Npgsql hands out the one that has rested longest, so that all
    /// that were ever opened stay in use, and each has its own caches and prepared statements to warm. A few for each processor keep a database
    /// of the same size busy.
    /// </summary>
    public static int MostConnections { get; } = Math.Max(10, 4 * Environment.ProcessorCount);

    /// <summary>The connection string that <see cref="UseAssayPostgres"/> makes of another: for raw connections with the same habits.</summary>
    /// <param name="connectionString">An Npgsql connection string.</param>
    public static string Harden(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        AddOptions(settings, ("lock_timeout", $"{LockTimeoutSeconds}s"), ("idle_in_transaction_session_timeout", $"{LockTimeoutSeconds}s"));
        if (!settings.TcpKeepAlive)
        {
            settings.TcpKeepAlive = true;
            settings.TcpKeepAliveTime = 10;
            settings.TcpKeepAliveInterval = 5;
        }

        if (settings.MaxAutoPrepare == 0)
            settings.MaxAutoPrepare = 100;
        if (!settings.Keys.Contains("Auto Prepare Min Usages", StringComparer.OrdinalIgnoreCase))
            settings.AutoPrepareMinUsages = 2;
        if (!settings.Keys.Contains("Maximum Pool Size", StringComparer.OrdinalIgnoreCase))
            settings.MaxPoolSize = MostConnections;
        // By default each connection that fails as it opens, for whatever cause, is opened again without GSS: an outage is met twice, and what such
        // a second opening leaves may be disposed of already (npgsql/npgsql#6415, #6506).
        if (!settings.Keys.Contains("GSS Encryption Mode", StringComparer.OrdinalIgnoreCase))
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
        return settings.ConnectionString;
    }

    /// <summary>
    /// For a database whose every statement finds its rows by a key or an index of few: PostgreSQL then plans it so, once, whatever it
    /// knows of the tables. Without this it reads small tables, and those it has not yet counted, from end to end, row by row against each
    /// key that is asked for, and plans anew whenever it thinks that cheaper. What the connection string says itself wins.
    /// <para>Do not use it for reports: joins are always made row by row, and a selection of half a table by its index.</para>
    /// </summary>
    /// <param name="connectionString">An Npgsql connection string.</param>
    public static string PlanByKey(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        // A plan without an index counts as extremely expensive then, and what is expensive would be compiled.
        AddOptions(settings, ("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off"), ("plan_cache_mode", "force_generic_plan"));
        return settings.ConnectionString;
    }

    private static void AddOptions(NpgsqlConnectionStringBuilder settings, params ReadOnlySpan<(string Name, string Value)> added)
    {
        var options = settings.Options ?? "";
        foreach (var (name, value) in added)
        {
            if (!options.Contains(name, StringComparison.OrdinalIgnoreCase))
                options += $" -c {name}={value}";
        }

        settings.Options = options.Trim();
    }

    /// <summary>
    /// SQLite with write-ahead log, <c>synchronous=FULL</c>, foreign keys, a busy timeout of 5 s, and one asynchronous write lock per
    /// file in this process, held from the start of a transaction (BEGIN IMMEDIATE) to its end: writers queue instead of failing.
    /// </summary>
    /// <param name="builder">The options to set.</param>
    /// <param name="connectionString">A Microsoft.Data.Sqlite connection string.</param>
    /// <param name="configure">Further provider options.</param>
    public static DbContextOptionsBuilder UseAssaySqlite(this DbContextOptionsBuilder builder, string connectionString, Action<SqliteDbContextOptionsBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = new SqliteConnectionStringBuilder(connectionString) { ForeignKeys = true };
        return builder
            .UseSqlite(settings.ConnectionString, configure)
            // Where a table is made anew, SQLite's keys are off outside the transaction. On a newcomer's first start that is no warning.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.NonTransactionalMigrationOperationWarning, LogLevel.Information)))
            .AddInterceptors(SqliteConnectionHabits.Instance, SqliteWriteLock.ForDataSource(settings.DataSource));
    }
}
