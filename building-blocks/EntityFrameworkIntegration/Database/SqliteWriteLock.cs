using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// SQLite lets one writer in and makes the others poll. This lock, one per file and process, lets them queue without blocking threads:
/// taken when EF starts a transaction, given back when it ends or its connection closes.
/// </summary>
internal sealed class SqliteWriteLock : DbTransactionInterceptor, IDbConnectionInterceptor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly ConcurrentDictionary<string, SqliteWriteLock> Locks = new(StringComparer.Ordinal);
    private readonly string _dataSource;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentDictionary<Guid, bool> _holders = new();

    private SqliteWriteLock(string dataSource) => _dataSource = dataSource;

    public static SqliteWriteLock ForDataSource(string dataSource)
    {
        // Every in-memory database is a database of its own connection; sharing one lock there costs little and is safe.
        var key = dataSource.Length == 0 || dataSource.StartsWith(':') || dataSource.StartsWith("file:", StringComparison.Ordinal) ? dataSource : Path.GetFullPath(dataSource);
        return Locks.GetOrAdd(key, path => new SqliteWriteLock(path));
    }

    public override async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
    {
        if (_holders.ContainsKey(eventData.ConnectionId))
            return result;
        if (!await _gate.WaitAsync(Patience, cancellationToken))
            throw Impatient();
        _holders[eventData.ConnectionId] = true;
        return result;
    }

    public override InterceptionResult<DbTransaction> TransactionStarting(DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result)
    {
        if (_holders.ContainsKey(eventData.ConnectionId))
            return result;
        if (!_gate.Wait(Patience))
            throw Impatient();
        _holders[eventData.ConnectionId] = true;
        return result;
    }

    public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Release(eventData.ConnectionId);

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Release(eventData.ConnectionId);
        return Task.CompletedTask;
    }

    public override void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => Release(eventData.ConnectionId);

    public override Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Release(eventData.ConnectionId);
        return Task.CompletedTask;
    }

    // A transaction that is disposed without an end ends with its connection.
    public void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => Release(eventData.ConnectionId);

    public Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        Release(eventData.ConnectionId);
        return Task.CompletedTask;
    }

    public void ConnectionDisposed(DbConnection connection, ConnectionEndEventData eventData) => Release(eventData.ConnectionId);

    public Task ConnectionDisposedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        Release(eventData.ConnectionId);
        return Task.CompletedTask;
    }

    private void Release(Guid connectionId)
    {
        if (_holders.TryRemove(connectionId, out _))
            _gate.Release();
    }

    private TimeoutException Impatient() => new(
        $"A transaction on the SQLite file '{_dataSource}' could not start within {Patience.TotalSeconds:0} s because another one in this process is still open. " +
        "Do not open a second DbContext on the same file inside a consumer or transaction, and do not await the network inside one.");
}
