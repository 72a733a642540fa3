using System.Data.Common;
using Npgsql;

namespace Assay.ServiceDefaults;

/// <summary>Tells a database that is away for the moment from one that refuses.</summary>
public static class TransientFaults
{
    /// <summary>PostgreSQL's <c>idle_in_transaction_session_timeout</c>: on a machine this busy the process got no processor for five seconds.</summary>
    const string IdleInTransactionTimeout = "25P03";

    /// <summary>How Npgsql begins to say that an answer of the server belongs to another question. It has given that connection up then, and the next one is in step.</summary>
    const string OutOfStep = "Received backend message ";

    /// <summary>What Npgsql has disposed of in a connection that was given up while it was handed out (npgsql/npgsql#6415); the next one is well.</summary>
    const string HandedOutTooLate = "System.Threading.ManualResetEventSlim";

    /// <summary>How long a start waits before it tries a database again that is away.</summary>
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Whether the same attempt may succeed later. EF Core wraps what the database threw, so that the causes count too.</summary>
    public static bool IsTransient(this Exception exception) =>
        exception is DbException { IsTransient: true } or PostgresException { SqlState: IdleInTransactionTimeout }
        || (exception is NpgsqlException and not PostgresException && exception.Message.StartsWith(OutOfStep, StringComparison.Ordinal))
        || exception is ObjectDisposedException { ObjectName: HandedOutTooLate }
        || (exception.InnerException is { } inner && inner.IsTransient());

    /// <summary>Does <paramref name="work"/> once the database is there: while it is away that is told, and tried again. What else fails is thrown.</summary>
    internal static async Task OnceReachableAsync(Func<Task> work, Action<Exception> tell, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception exception) when (exception.IsTransient())
            {
                tell(exception);
                await Task.Delay(RetryAfter, cancellationToken);
            }
        }
    }
}
