using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Assay.ServiceDefaults;

/// <summary>
/// Writes many rows in few statements, past the change tracker, in the open transaction of a DbContext. On PostgreSQL each kind of row is one
/// statement, whatever its number, and all of them are one round trip; on SQLite a statement is prepared once and run per row.
/// </summary>
/// <param name="db">The context whose model names tables and columns, and whose transaction is open.</param>
public sealed class RowWrites(DbContext db)
{
    readonly List<(Func<DbCommand, CancellationToken, Task> RunAsync, Func<NpgsqlBatchCommand> Batch)> writes = [];

    /// <summary>Inserts rows of different keys.</summary>
    /// <param name="rows">No two of them with the same key.</param>
    /// <param name="whenKnown">What follows ON CONFLICT (key), for example <c>DO NOTHING</c>; without it a key that is known is an error of the database.</param>
    public void Insert<T>(IReadOnlyCollection<T> rows, string? whenKnown = null) where T : class
    {
        if (rows.Count == 0)
            return;
        var table = Table<T>.Of(db);
        var names = string.Join(", ", table.Columns.Select(column => column.Name));
        var conflict = whenKnown is null ? "" : $" ON CONFLICT ({string.Join(", ", table.Key.Select(column => column.Name))}) {whenKnown}";
        Add(rows, table.Columns, values => $"INSERT INTO {table.Name} ({names}) {values}{conflict}", arrays => $"SELECT * FROM unnest({arrays})", row => $"VALUES ({row})");
    }

    /// <summary>Writes all columns of rows that exist, or all but these.</summary>
    public void Update<T>(IReadOnlyCollection<T> rows, params IReadOnlyCollection<string> except) where T : class
    {
        if (rows.Count == 0)
            return;
        var table = Table<T>.Of(db);
        var columns = table.Columns.Where(column => !except.Contains(column.Property, StringComparer.Ordinal)).ToArray();
        var names = string.Join(", ", columns.Select(column => column.Name));
        var changes = string.Join(", ", columns.Except(table.Key).Select(column => $"{column.Name} = changed.{column.Name}"));
        var same = string.Join(" AND ", table.Key.Select(column => $"{table.Name}.{column.Name} = changed.{column.Name}"));
        Add(rows, columns, values => $"UPDATE {table.Name} SET {changes} FROM {values} WHERE {same}", arrays => $"unnest({arrays}) AS changed ({names})",
            row => $"(SELECT {string.Join(", ", row.Split(", ").Zip(columns, (value, column) => $"{value} AS {column.Name}"))}) AS changed");
    }

    /// <summary>Runs what was added, in its order, and forgets it.</summary>
    /// <exception cref="InvalidOperationException">The context has no transaction.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (writes.Count == 0)
            return;
        var transaction = db.Database.CurrentTransaction?.GetDbTransaction()
            ?? throw new InvalidOperationException("Rows were to be written past the change tracker without a transaction: begin one on the DbContext first.");
        if (db.Database.GetDbConnection() is NpgsqlConnection connection)
        {
            await using var batch = connection.CreateBatch();
            batch.Transaction = (NpgsqlTransaction)transaction;
            foreach (var write in writes)
                batch.BatchCommands.Add(write.Batch());
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        else
        {
            foreach (var write in writes)
            {
                await using var command = db.Database.GetDbConnection().CreateCommand();
                command.Transaction = transaction;
                await write.RunAsync(command, cancellationToken);
            }
        }

        writes.Clear();
    }

    void Add<T>(IReadOnlyCollection<T> rows, IReadOnlyList<Column<T>> columns, Func<string, string> statement, Func<string, string> manyRows, Func<string, string> oneRow) where T : class =>
        writes.Add((
            async (command, cancellationToken) =>
            {
                command.CommandText = statement(oneRow(string.Join(", ", columns.Select((_, i) => $"@p{i}"))));
                foreach (var row in rows)
                {
                    command.Parameters.Clear();
                    for (var i = 0; i < columns.Count; i++)
                        command.Parameters.Add(columns[i].Parameter(command, $"@p{i}", row));
                    await command.ExecuteNonQueryAsync(cancellationToken);
                }
            },
            () =>
            {
                var command = new NpgsqlBatchCommand(statement(manyRows(string.Join(", ", columns.Select((_, i) => $"${i + 1}")))));
                foreach (var column in columns)
                    command.Parameters.Add(new NpgsqlParameter { Value = column.Values(rows), DataTypeName = column.StoreType + "[]" });
                return command;
            }));

    /// <summary>The columns of an entity, as the model maps them.</summary>
    sealed class Table<T> where T : class
    {
        static readonly ConcurrentDictionary<Type, Table<T>> Known = new();

        Table(IEntityType entity)
        {
            Name = entity.GetTableName()!;
            Columns = [.. entity.GetProperties().Select(Column<T>.Of)];
            Key = [.. entity.FindPrimaryKey()!.Properties.Select(key => Columns.Single(column => column.Property == key.Name))];
        }

        public string Name { get; }
        public IReadOnlyList<Column<T>> Columns { get; }
        public IReadOnlyList<Column<T>> Key { get; }

        /// <summary>Each provider's context has its own model, hence its own types of columns.</summary>
        public static Table<T> Of(DbContext db) => Known.GetOrAdd(db.GetType(), _ => new Table<T>(db.Model.FindEntityType(typeof(T))!));
    }

    abstract class Column<T>(IProperty property) where T : class
    {
        readonly bool isNullable = property.IsNullable;

        public string Name { get; } = property.GetColumnName();
        public string Property { get; } = property.Name;
        public string StoreType { get; } = property.GetColumnType();
        protected RelationalTypeMapping Mapping { get; } = property.GetRelationalTypeMapping();

        /// <summary>This column of all rows, as an array of the column's type.</summary>
        public abstract object Values(IReadOnlyCollection<T> rows);

        public DbParameter Parameter(DbCommand command, string name, T row) => Mapping.CreateParameter(command, name, Value(row), isNullable);

        protected abstract object? Value(T row);

        public static Column<T> Of(IProperty property) => (Column<T>)Activator.CreateInstance(typeof(Column<,>).MakeGenericType(typeof(T), property.ClrType), property)!;
    }

    sealed class Column<T, TValue>(IProperty property) : Column<T>(property) where T : class
    {
        readonly Func<T, TValue> get = GetterOf(property);

        public override object Values(IReadOnlyCollection<T> rows)
        {
            // The one kind of conversion the model knows keeps the type: times become UTC.
            var convert = Mapping.Converter?.ConvertToProvider;
            var values = new TValue[rows.Count];
            var i = 0;
            foreach (var row in rows)
                values[i++] = convert is null ? get(row) : (TValue)convert(get(row))!;
            return values;
        }

        protected override object? Value(T row) => get(row);

        static Func<T, TValue> GetterOf(IProperty property)
        {
            var row = Expression.Parameter(typeof(T));
            return Expression.Lambda<Func<T, TValue>>(Expression.Property(row, property.PropertyInfo!), row).Compile();
        }
    }
}
