using System.Data;
using System.Data.Common;
using System.Text.Json;
using Assay.LlmGateway.Database;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Assay.LlmGateway.Ledger;

/// <summary>
/// One statement of the protocol. The text is the same on PostgreSQL and SQLite, with <c>$1</c>, <c>$2</c> … as placeholders;
/// what differs (row locks, advisory locks, lists) is written by <see cref="LedgerSession"/>.
/// </summary>
sealed class Statement(string text)
{
    readonly List<(object? Value, DbType Type)> _values = [];

    public string Text { get; } = text;
    public IReadOnlyList<(object? Value, DbType Type)> Values => _values;

    /// <summary>The rows that the statement changes or adds all at once; null if it has none.</summary>
    public RowSet? Rows { get; private init; }

    /// <summary>A statement about many rows, whose text names them as <see cref="LedgerSession.Rows"/> writes them.</summary>
    public static Statement About(RowSet rows, string text) => new(text) { Rows = rows };

    /// <summary>Adds the next value. A null keeps its type, so that the database prepares one statement and not two.</summary>
    public Statement With<T>(T value)
    {
        var type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
        _values.Add((value, Types.TryGetValue(type, out var known) ? known : throw new ArgumentException($"A statement cannot carry a value of type {type}.", nameof(value))));
        return this;
    }

    static readonly Dictionary<Type, DbType> Types = new()
    {
        [typeof(string)] = DbType.String, [typeof(Guid)] = DbType.Guid, [typeof(int)] = DbType.Int32, [typeof(long)] = DbType.Int64,
        [typeof(bool)] = DbType.Boolean, [typeof(DateTime)] = DbType.DateTime, [typeof(string[])] = DbType.Object, [typeof(Guid[])] = DbType.Object,
    };
}

/// <summary>
/// Statements that go to the database in one round trip, in their order. What a statement returned or changed is read from its part once
/// the group has run.
/// </summary>
sealed class StatementGroup
{
    readonly List<Part> _parts = [];

    public IReadOnlyList<Part> Parts => _parts;

    /// <summary>Adds a statement that changes rows.</summary>
    public Part Execute(Statement statement)
    {
        var part = new Part(statement);
        _parts.Add(part);
        return part;
    }

    /// <summary>Adds a statement that returns rows.</summary>
    public Reading<T> Query<T>(Statement statement, Func<DbDataReader, T> read)
    {
        var part = new Reading<T>(statement, read);
        _parts.Add(part);
        return part;
    }

    public class Part(Statement statement)
    {
        public Statement Statement { get; } = statement;

        /// <summary>How many rows it changed.</summary>
        public int Changed { get; set; }
    }

    public abstract class Reading(Statement statement) : Part(statement)
    {
        public abstract Task ReadAsync(DbDataReader reader, CancellationToken cancellationToken);
    }

    public sealed class Reading<T>(Statement statement, Func<DbDataReader, T> read) : Reading(statement)
    {
        public List<T> Rows { get; } = [];

        public override async Task ReadAsync(DbDataReader reader, CancellationToken cancellationToken)
        {
            while (await reader.ReadAsync(cancellationToken))
                Rows.Add(read(reader));
        }
    }
}

/// <summary>
/// Runs the ledger's statements on the connection and in the transaction of a DbContext: PostgreSQL in one round trip per group,
/// SQLite one after the other in the process.
/// </summary>
sealed class LedgerSession(LlmGatewayDbContext database, TimeProvider time)
{
    /// <summary>Key of the advisory lock between flushes (shared) and the halt (exclusive).</summary>
    const long HaltLock = 0x4153_5341_5948_414C;

    readonly DbConnection _connection = database.Database.GetDbConnection();
    readonly TimeProvider _time = time;

    public LlmGatewayDbContext Database { get; } = database;
    public bool IsPostgres => _connection is NpgsqlConnection;

    /// <summary>Row locks; SQLite's transactions hold the only write lock already.</summary>
    public string ForUpdate => IsPostgres ? " FOR UPDATE" : "";
    public string ForShare => IsPostgres ? " FOR SHARE" : "";
    public string SkipLocked => IsPostgres ? " FOR UPDATE SKIP LOCKED" : "";

    /// <summary>
    /// A row set as a table of the statement that carries it, after the <paramref name="values"/> that the statement has besides: arrays side by
    /// side on PostgreSQL, one JSON array on SQLite.
    /// </summary>
    public string Rows(RowSet rows, string name, int values = 0) => IsPostgres
        ? $"unnest({string.Join(", ", rows.Columns.Select((_, i) => $"${values + i + 1}"))}) AS {name}({string.Join(", ", rows.Columns.Select(column => column.Name))})"
        : $"(SELECT {string.Join(", ", rows.Columns.Select((column, i) => $"json_extract(value, '$[{i}]') AS {column.Name}"))} FROM json_each(${values + 1})) AS {name}";

    /// <summary><c>column = ANY($n)</c> in the database's own way.</summary>
    public string In(string column, int position) => IsPostgres ? $"{column} = ANY(${position})" : $"{column} IN (SELECT value FROM json_each(${position}))";

    /// <summary>
    /// <c>column IN (what this selects)</c>, selected first and once. PostgreSQL could otherwise begin with the table that is asked about and
    /// look for each of its rows in the selection.
    /// </summary>
    public string InSelected(string column, string select) => IsPostgres ? $"{column} = ANY(ARRAY({select}))" : $"{column} IN ({select})";

    /// <summary>The database's clock: leases, deadlines and days never use the host's.</summary>
    public async Task<DateTime> NowAsync(CancellationToken cancellationToken) =>
        IsPostgres ? (await QueryAsync(new Statement("SELECT clock_timestamp()"), row => row.Utc(0), cancellationToken))[0] : _time.GetUtcNow().UtcDateTime;

    /// <summary>Asks for the database's clock as a part of a group; read it from what this returns once the group has run.</summary>
    public Func<DateTime> AskNow(StatementGroup group)
    {
        if (!IsPostgres)
            return () => _time.GetUtcNow().UtcDateTime;
        var now = group.Query(new Statement("SELECT clock_timestamp()"), row => row.Utc(0));
        return () => now.Rows[0];
    }

    /// <summary>The database's clock as a column of a statement that asks for more; <see cref="ReadClock"/> reads it.</summary>
    public string Clock => IsPostgres ? "clock_timestamp()" : "NULL";

    /// <summary>The database's clock as a value in a statement about rows. SQLite's rows bring it with them: ask before <see cref="Rows"/> names their columns.</summary>
    public string ClockIn(RowSet rows)
    {
        if (IsPostgres)
            return "clock_timestamp()";
        rows.WithSame("clock", _time.GetUtcNow().UtcDateTime);
        return "clock";
    }

    public DateTime ReadClock(DbDataReader row, int column) => IsPostgres ? row.Utc(column) : _time.GetUtcNow().UtcDateTime;

    /// <summary>Flushes share this lock; see <see cref="LockOutFlushesAsync"/>.</summary>
    public void LockAsFlush(StatementGroup group)
    {
        if (IsPostgres)
            group.Query(new Statement($"SELECT pg_advisory_xact_lock_shared({HaltLock})"), _ => true);
    }

    /// <summary>Waits for every flush that has begun and keeps new ones out until the transaction ends.</summary>
    public async Task LockOutFlushesAsync(CancellationToken cancellationToken)
    {
        if (IsPostgres)
            await ExecuteAsync(new Statement($"SELECT pg_advisory_xact_lock({HaltLock})"), cancellationToken);
    }

    public async Task<int> ExecuteAsync(Statement statement, CancellationToken cancellationToken)
    {
        await using var command = Command(statement);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs a group and returns the rows each statement changed.</summary>
    public async Task<IReadOnlyList<int>> ExecuteAsync(IReadOnlyList<Statement> statements, CancellationToken cancellationToken)
    {
        var group = new StatementGroup();
        var parts = statements.Select(group.Execute).ToList();
        await RunAsync(group, cancellationToken);
        return [.. parts.Select(part => part.Changed)];
    }

    public async Task<IReadOnlyList<T>> QueryAsync<T>(Statement statement, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = Command(statement);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await RowsAsync(reader, read, cancellationToken);
    }

    /// <summary>Runs a group and returns the rows each statement returned.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<T>>> QueryAsync<T>(IReadOnlyList<Statement> statements, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        var group = new StatementGroup();
        var parts = statements.Select(statement => group.Query(statement, read)).ToList();
        await RunAsync(group, cancellationToken);
        return [.. parts.Select(part => part.Rows)];
    }

    /// <summary>Runs a group: one round trip on PostgreSQL.</summary>
    public async Task RunAsync(StatementGroup group, CancellationToken cancellationToken)
    {
        if (group.Parts.Count == 0)
            return;
        if (_connection is not NpgsqlConnection postgres)
        {
            foreach (var part in group.Parts)
            {
                await using var command = Command(part.Statement);
                if (part is not StatementGroup.Reading reading)
                {
                    part.Changed = await command.ExecuteNonQueryAsync(cancellationToken);
                    continue;
                }

                await using var rows = await command.ExecuteReaderAsync(cancellationToken);
                await reading.ReadAsync(rows, cancellationToken);
            }

            return;
        }

        await using var batch = Batch(postgres, [.. group.Parts.Select(part => part.Statement)]);
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            // Only statements that return rows have a result here; the others are passed over.
            foreach (var part in group.Parts.OfType<StatementGroup.Reading>())
            {
                await part.ReadAsync(reader, cancellationToken);
                await reader.NextResultAsync(cancellationToken);
            }
        }

        for (var i = 0; i < group.Parts.Count; i++)
            group.Parts[i].Changed = (int)batch.BatchCommands[i].RecordsAffected;
    }

    static async Task<IReadOnlyList<T>> RowsAsync<T>(DbDataReader reader, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    NpgsqlBatch Batch(NpgsqlConnection connection, IReadOnlyList<Statement> statements)
    {
        var batch = new NpgsqlBatch(connection, (NpgsqlTransaction?)Database.Database.CurrentTransaction?.GetDbTransaction());
        foreach (var statement in statements)
        {
            var command = new NpgsqlBatchCommand(statement.Text);
            AddParameters(command.Parameters, statement);
            batch.BatchCommands.Add(command);
        }

        return batch;
    }

    DbCommand Command(Statement statement)
    {
        var command = _connection.CreateCommand();
        command.CommandText = statement.Text;
        command.Transaction = Database.Database.CurrentTransaction?.GetDbTransaction();
        if (command is NpgsqlCommand postgres)
        {
            AddParameters(postgres.Parameters, statement);
            return command;
        }

        foreach (var value in statement.Values.Select(value => value.Value).Concat(statement.Rows is { } rows ? [rows.ToJson()] : []))
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"${command.Parameters.Count + 1}";
            // The same text forms that EF Core writes: a raw statement and a query must compare alike.
            parameter.Value = value switch
            {
                null => DBNull.Value,
                Guid[] ids => JsonSerializer.Serialize(ids.Select(id => id.ToString("D").ToUpperInvariant())),
                string[] texts => JsonSerializer.Serialize(texts),
                _ => value,
            };
            command.Parameters.Add(parameter);
        }

        return command;
    }

    static void AddParameters(NpgsqlParameterCollection parameters, Statement statement)
    {
        foreach (var (value, type) in statement.Values)
            parameters.Add(type == DbType.Object ? new NpgsqlParameter { Value = value } : new NpgsqlParameter { Value = value ?? DBNull.Value, DbType = type });
        foreach (var (_, values) in statement.Rows?.Columns ?? [])
            parameters.Add(new NpgsqlParameter { Value = values });
    }
}

/// <summary>Reading a row by position.</summary>
static class RowReading
{
    public static DateTime Utc(this DbDataReader row, int column) => DateTime.SpecifyKind(row.GetDateTime(column), DateTimeKind.Utc);
    public static DateTime? UtcOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.Utc(column);
    public static string? TextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
    public static Guid? GuidOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
    public static int? IntOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);
    public static bool? BoolOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetBoolean(column);
}
