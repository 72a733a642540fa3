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

    /// <summary><c>column = ANY($n)</c> in the database's own way.</summary>
    public string In(string column, int position) => IsPostgres ? $"{column} = ANY(${position})" : $"{column} IN (SELECT value FROM json_each(${position}))";

    /// <summary>The database's clock: leases, deadlines and days never use the host's.</summary>
    public async Task<DateTime> NowAsync(CancellationToken cancellationToken) =>
        IsPostgres ? (await QueryAsync(new Statement("SELECT clock_timestamp()"), row => row.Utc(0), cancellationToken))[0] : _time.GetUtcNow().UtcDateTime;

    /// <summary>Flushes share this lock; see <see cref="LockOutFlushesAsync"/>.</summary>
    public async Task LockAsFlushAsync(CancellationToken cancellationToken)
    {
        if (IsPostgres)
            await ExecuteAsync(new Statement($"SELECT pg_advisory_xact_lock_shared({HaltLock})"), cancellationToken);
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
        if (statements.Count == 0)
            return [];
        if (_connection is NpgsqlConnection postgres)
        {
            await using var batch = Batch(postgres, statements);
            await batch.ExecuteNonQueryAsync(cancellationToken);
            return [.. batch.BatchCommands.Cast<NpgsqlBatchCommand>().Select(command => (int)command.RecordsAffected)];
        }

        var changed = new int[statements.Count];
        for (var i = 0; i < changed.Length; i++)
            changed[i] = await ExecuteAsync(statements[i], cancellationToken);
        return changed;
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
        List<IReadOnlyList<T>> results = [];
        if (statements.Count == 0)
            return results;
        if (_connection is NpgsqlConnection postgres)
        {
            await using var batch = Batch(postgres, statements);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            do
                results.Add(await RowsAsync(reader, read, cancellationToken));
            while (await reader.NextResultAsync(cancellationToken));
            return results;
        }

        foreach (var statement in statements)
            results.Add(await QueryAsync(statement, read, cancellationToken));
        return results;
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
            foreach (var (value, type) in statement.Values)
                command.Parameters.Add(Parameter(value, type));
            batch.BatchCommands.Add(command);
        }

        return batch;
    }

    DbCommand Command(Statement statement)
    {
        var command = _connection.CreateCommand();
        command.CommandText = statement.Text;
        command.Transaction = Database.Database.CurrentTransaction?.GetDbTransaction();
        for (var i = 0; i < statement.Values.Count; i++)
        {
            var (value, type) = statement.Values[i];
            if (command is NpgsqlCommand postgres)
            {
                postgres.Parameters.Add(Parameter(value, type));
                continue;
            }

            var parameter = command.CreateParameter();
            parameter.ParameterName = $"${i + 1}";
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

    static NpgsqlParameter Parameter(object? value, DbType type) =>
        type == DbType.Object ? new NpgsqlParameter { Value = value } : new NpgsqlParameter { Value = value ?? DBNull.Value, DbType = type };
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
