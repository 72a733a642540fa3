using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace MassTransit.EntityFrameworkCoreIntegration;

internal static class SqlCommandExtensions
{
    /// <summary>A command on the DbContext's connection, in its transaction if one is open. The connection must be open.</summary>
    public static DbCommand CreateCommand(this DatabaseFacade database, string sql = "")
    {
        var command = database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        command.Transaction = database.CurrentTransaction?.GetDbTransaction();
        if (database.GetCommandTimeout() is { } seconds)
            command.CommandTimeout = seconds;
        return command;
    }

    /// <summary>
    /// Adds the next of the parameters <c>$1, $2, …</c>: both databases read them, and Npgsql then need not search the statement for
    /// names each time. One statement per command.
    /// </summary>
    public static void Bind(this DbCommand command, SqlDialect dialect, DbType type, object? value) =>
        command.Append(dialect.NamesPositions ? $"${command.Parameters.Count + 1}" : "", type, value);

    /// <summary>Adds a parameter and returns its placeholder.</summary>
    public static string Add(this DbCommand command, DbType type, object? value)
    {
        var name = $"p{command.Parameters.Count}";
        command.Append(name, type, value);
        return "@" + name;
    }

    private static void Append(this DbCommand command, string name, DbType type, object? value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.DbType = type;
        parameter.Value = value switch
        {
            null => DBNull.Value,
            DateTime time => Utc(time),
            _ => value,
        };
        command.Parameters.Add(parameter);
    }

    /// <summary>PostgreSQL only takes times that say that they are UTC; MassTransit's are, but not all say so.</summary>
    public static DateTime Utc(DateTime time) => time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : DateTime.SpecifyKind(time, DateTimeKind.Utc);

    public static string Add(this DbCommand command, Guid? value) => command.Add(DbType.Guid, value);

    public static string Add(this DbCommand command, string? value) => command.Add(DbType.String, value);

    public static string Add(this DbCommand command, long value) => command.Add(DbType.Int64, value);

    public static string Add(this DbCommand command, double value) => command.Add(DbType.Double, value);

    public static string Add(this DbCommand command, DateTime? value) => command.Add(DbType.DateTime, value);

    /// <summary>
    /// Saves without the savepoint (two more round trips) that EF sets inside a transaction: for saves after whose failure the whole
    /// transaction is rolled back anyway.
    /// </summary>
    public static async Task SaveOrRollBackAsync(this DbContext context, CancellationToken cancellationToken)
    {
        var savepoints = context.Database.AutoSavepointsEnabled;
        context.Database.AutoSavepointsEnabled = false;
        try
        {
            await context.SaveChangesAsync(cancellationToken);
        }
        finally
        {
            context.Database.AutoSavepointsEnabled = savepoints;
        }
    }

    /// <summary>The delimited, schema-qualified name of an entity's table.</summary>
    public static string TableName(this DbContext context, Type entity)
    {
        var type = context.Model.FindEntityType(entity)
            ?? throw new InvalidOperationException($"The model of {context.GetType().Name} has no {entity.Name}: call modelBuilder.AddMessagingEntities() at the end of its OnModelCreating and add a migration.");
        var name = type.GetTableName() ?? throw new InvalidOperationException($"{entity.Name} is not mapped to a table in {context.GetType().Name}.");
        return context.GetService<ISqlGenerationHelper>().DelimitIdentifier(name, type.GetSchema());
    }
}
