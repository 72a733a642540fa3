using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Sets what SQLite keeps per connection each time EF opens one.</summary>
internal sealed class SqliteConnectionHabits : DbConnectionInterceptor
{
    private const string Habits = "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";

    public static SqliteConnectionHabits Instance { get; } = new();

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Habits;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Habits;
#pragma warning disable RS0030 // EF opened the connection synchronously; an interceptor has no other way.
        command.ExecuteNonQuery();
#pragma warning restore RS0030
    }
}
