using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>The one seam between the two databases: what differs in the SQL of inbox, outbox, scheduler and sagas.</summary>
internal abstract class SqlDialect
{
    private static readonly PostgresDialect Postgres = new();
    private static readonly SqliteDialect Sqlite = new();

    /// <summary>Finds the dialect from the DbContext's provider.</summary>
    /// <exception cref="NotSupportedException">The provider is neither Npgsql nor SQLite.</exception>
    public static SqlDialect Of(DbContext context) => context.Database.ProviderName switch
    {
        "Npgsql.EntityFrameworkCore.PostgreSQL" => Postgres,
        "Microsoft.EntityFrameworkCore.Sqlite" => Sqlite,
        var provider => throw new NotSupportedException($"{context.GetType().Name} uses the provider '{provider}'. The messaging tables work on PostgreSQL and SQLite: configure it with UseAssayPostgres or UseAssaySqlite."),
    };

    /// <summary>Whether either database says that trying again may help.</summary>
    public static bool IsTransientAnywhere(Exception exception) => Postgres.IsTransient(exception) || Sqlite.IsTransient(exception);

    /// <summary>The database's clock, comparable with stored times.</summary>
    public abstract string Now { get; }

    /// <summary>Locks of rows that others leave out, at the end of a SELECT.</summary>
    public abstract string SkipLocked { get; }

    /// <summary>Whether rows of a saga can be locked by reading them.</summary>
    public abstract bool HasRowLocks { get; }

    /// <summary>Whether the parameters of <c>$1, $2, …</c> carry these names; else their order says which is which.</summary>
    public abstract bool NamesPositions { get; }

    /// <summary>Whether a single statement needs a transaction around it, so that writers queue for the lock.</summary>
    public abstract bool QueuesWriters { get; }

    /// <summary>Whether other processes can be told something at once (LISTEN and NOTIFY).</summary>
    public abstract bool Notifies { get; }

    /// <summary>The isolation of a consumer's transaction.</summary>
    public abstract IsolationLevel DefaultIsolation { get; }

    /// <summary>The database's clock plus a number of seconds.</summary>
    public string NowPlus(TimeSpan span) => NowPlus(span.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture));

    /// <summary>The database's clock plus an SQL expression in seconds.</summary>
    public abstract string NowPlus(string seconds);

    /// <summary>Seconds from the database's clock to a column, negative when past.</summary>
    public abstract string SecondsUntil(string column);

    /// <summary>A condition that a column is one of many values.</summary>
    public abstract string IsOneOf(DbCommand command, string column, IReadOnlyCollection<long> values);

    /// <inheritdoc cref="IsOneOf(DbCommand,string,IReadOnlyCollection{long})"/>
    public abstract string IsOneOf(DbCommand command, string column, IReadOnlyCollection<Guid> values);

    /// <summary>Whether a write failed because a unique key already exists.</summary>
    public abstract bool IsUniqueViolation(Exception exception);

    /// <summary>Whether the statement may simply be tried again: lock timeouts, deadlocks, busy, serialization, lost connections.</summary>
    public abstract bool IsTransient(Exception exception);

    /// <summary>Taken before a missing saga is looked up again, so that of two creators the second finds the first one's row.</summary>
    public abstract string? CreationLock { get; }

    private sealed class PostgresDialect : SqlDialect
    {
        // Not clock_timestamp(): a volatile function cannot be looked up in an index.
        public override string Now => "statement_timestamp()";
        public override string SkipLocked => " FOR UPDATE SKIP LOCKED";
        public override bool HasRowLocks => true;
        public override bool NamesPositions => false;
        public override bool QueuesWriters => false;
        public override bool Notifies => true;
        public override IsolationLevel DefaultIsolation => IsolationLevel.ReadCommitted;
        public override string CreationLock => "SELECT pg_advisory_xact_lock(hashtextextended({0}, 0))";
        public override string NowPlus(string seconds) => $"statement_timestamp() + ({seconds}) * interval '1 second'";
        public override string SecondsUntil(string column) => $"CAST(extract(epoch from {column} - statement_timestamp()) AS double precision)";

        public override string IsOneOf(DbCommand command, string column, IReadOnlyCollection<long> values) => IsAny(command, column, values.ToArray());

        public override string IsOneOf(DbCommand command, string column, IReadOnlyCollection<Guid> values) => IsAny(command, column, values.ToArray());

        public override bool IsUniqueViolation(Exception exception) => StateOf(exception) == "23505";

        // The last is the driver's own: a connection that was given up while it was handed out.
        public override bool IsTransient(Exception exception) =>
            StateOf(exception) is "55P03" or "40P01" or "40001" or "57P01" or "25P03" || Find<DbException>(exception) is { IsTransient: true }
            || Find<ObjectDisposedException>(exception) is { ObjectName: "System.Threading.ManualResetEventSlim" };

        private static string? StateOf(Exception exception) => Find<DbException>(exception)?.SqlState;

        private static string IsAny<T>(DbCommand command, string column, T[] values)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"p{command.Parameters.Count}";
            parameter.Value = values;
            command.Parameters.Add(parameter);
            return $"{column} = ANY(@{parameter.ParameterName})";
        }
    }

    private sealed class SqliteDialect : SqlDialect
    {
        private const int Constraint = 19;
        private const int ConstraintPrimaryKey = 1555;
        private const int ConstraintUnique = 2067;

        public override string Now => "strftime('%Y-%m-%d %H:%M:%f','now')";

        // One writer at a time: nothing to skip.
        public override string SkipLocked => "";
        public override bool HasRowLocks => false;
        public override bool NamesPositions => true;
        public override bool QueuesWriters => true;

        // One process owns the file.
        public override bool Notifies => false;
        public override IsolationLevel DefaultIsolation => IsolationLevel.Unspecified;

        // BEGIN IMMEDIATE already lets only one transaction in.
        public override string? CreationLock => null;
        public override string NowPlus(string seconds) => $"strftime('%Y-%m-%d %H:%M:%f','now',({seconds}) || ' seconds')";
        public override string SecondsUntil(string column) => $"((julianday({column}) - julianday('now')) * 86400.0)";

        public override string IsOneOf(DbCommand command, string column, IReadOnlyCollection<long> values) => $"{column} IN ({string.Join(',', values)})";

        public override string IsOneOf(DbCommand command, string column, IReadOnlyCollection<Guid> values) =>
            $"{column} IN ({string.Join(',', values.Select(value => $"'{value.ToString().ToUpperInvariant()}'"))})";

        public override bool IsUniqueViolation(Exception exception) =>
            Find<Microsoft.Data.Sqlite.SqliteException>(exception) is { SqliteErrorCode: Constraint, SqliteExtendedErrorCode: ConstraintPrimaryKey or ConstraintUnique };

        public override bool IsTransient(Exception exception) => Find<Microsoft.Data.Sqlite.SqliteException>(exception) is { SqliteErrorCode: 5 or 6 };
    }

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
                return found;
        }

        return null;
    }
}
