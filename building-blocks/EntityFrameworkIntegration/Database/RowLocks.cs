using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Adds <c>FOR UPDATE</c> to queries that are tagged for it. EF has no words for a row lock, and a query made of SQL text is translated
/// anew each time it runs.
/// </summary>
internal sealed class RowLocks : DbCommandInterceptor
{
    /// <summary>The tag of a query of one table whose rows are to be locked.</summary>
    public const string Tag = "lock the rows";

    private const string Comment = "-- " + Tag;
    private readonly ConcurrentDictionary<string, string> _locking = new(StringComparer.Ordinal);

    public static RowLocks Instance { get; } = new();

    /// <summary>Whether tagged queries of this DbContext lock: a plain <c>UseNpgsql</c> does not know how.</summary>
    public static bool AreIn(DbContext context) =>
        context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?.Interceptors?.Contains(Instance) == true;

    public override InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        Lock(command);
        return result;
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Lock(command);
        return ValueTask.FromResult(result);
    }

    private void Lock(DbCommand command)
    {
        if (command.CommandText.StartsWith(Comment, StringComparison.Ordinal))
            command.CommandText = _locking.GetOrAdd(command.CommandText, static text => text[Comment.Length..].TrimStart() + " FOR UPDATE");
    }
}
