using System.Diagnostics;
using Assay.LlmGateway.Ledger;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Assay.LlmGateway.LeaseSweep;

/// <summary>A sign of life that ends with the process, whatever its end: faster than a lease, and no clock is in it.</summary>
interface IOwnerLock
{
    /// <summary>Takes the lock of this owner, or takes it again after its connection broke.</summary>
    Task HoldAsync(int key, CancellationToken cancellationToken);

    /// <summary>Other owners that are certain to be gone although their lease still runs.</summary>
    Task<IReadOnlyList<Guid>> FindAbandonedAsync(Guid self, CancellationToken cancellationToken);

    /// <summary>Whether the last look found an owner that may soon be certain to be gone.</summary>
    bool IsWatching { get; }
}

/// <summary>One process owns the file, and it is this one: there are no others to watch.</summary>
sealed class SoleOwnerLock : IOwnerLock
{
    public Task HoldAsync(int key, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IReadOnlyList<Guid>> FindAbandonedAsync(Guid self, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Guid>>([]);

    public bool IsWatching => false;
}

/// <summary>
/// A session advisory lock on a connection of its own; the server frees it when the process is gone. A lock counts as abandoned once it was
/// seen free for two seconds by a watcher that has been connected without a break for a whole lease: after a restart of the database
/// every owner has time to take its lock again. A watcher that sees no other living owner at its start has nobody to mistake, and need not wait for that.
/// </summary>
sealed class PostgresOwnerLock(LedgerDatabase database, IOptions<LlmGatewayOptions> options) : IOwnerLock, IAsyncDisposable
{
    /// <summary>Tells these locks from other advisory locks of the database.</summary>
    const int LockClass = 0x4153_5359;

    static readonly TimeSpan FreeFor = TimeSpan.FromSeconds(2);

    readonly string _connectionString = new NpgsqlConnectionStringBuilder(database.Database.ConnectionString) { Pooling = false, KeepAlive = 5, TcpKeepAlive = true, ApplicationName = "assay-gateway-owner" }.ConnectionString;
    readonly Dictionary<Guid, long> _freeSince = [];
    NpgsqlConnection? _holder;
    NpgsqlConnection? _watcher;
    long _watchingSince;
    bool _alone;
    int _heldKey;

    public async Task HoldAsync(int key, CancellationToken cancellationToken)
    {
        if (_holder is not null && _heldKey == key && await IsAliveAsync(_holder, cancellationToken))
            return;
        if (_holder is not null)
            await _holder.DisposeAsync();
        // Kept only once it holds the lock: a connection that could not be opened, or has no lock, must not be taken for one that has.
        _holder = null;
        var holder = new NpgsqlConnection(_connectionString);
        try
        {
            await holder.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1, $2)", holder) { Parameters = { new() { Value = LockClass }, new() { Value = key } } };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch
        {
            await holder.DisposeAsync();
            throw;
        }

        (_holder, _heldKey) = (holder, key);
    }

    public async Task<IReadOnlyList<Guid>> FindAbandonedAsync(Guid self, CancellationToken cancellationToken)
    {
        var (free, held) = await LookAsync(self, cancellationToken);
        var now = Stopwatch.GetTimestamp();
        foreach (var owner in _freeSince.Keys.Except(free).ToList())
            _freeSince.Remove(owner);
        foreach (var owner in free)
            _freeSince.TryAdd(owner, now);
        if (held > 0)
            _alone = false;
        if (!MayJudge)
            return [];
        return [.. _freeSince.Where(owner => Stopwatch.GetElapsedTime(owner.Value, now) >= FreeFor).Select(owner => owner.Key)];
    }

    public bool IsWatching => _freeSince.Count > 0 && MayJudge;

    bool MayJudge => _alone || Stopwatch.GetElapsedTime(_watchingSince) >= options.Value.Lease;

    async Task<(IReadOnlyList<Guid> Free, int Held)> LookAsync(Guid self, CancellationToken cancellationToken)
    {
        if (_watcher is null)
        {
            var first = _watchingSince == 0;
            var watcher = new NpgsqlConnection(_connectionString);
            await watcher.OpenAsync(cancellationToken);
            (_watcher, _watchingSince, _alone) = (watcher, Stopwatch.GetTimestamp(), first);
            _freeSince.Clear();
        }

        try
        {
            await using var command = new NpgsqlCommand("""
                SELECT g.owner, EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $2 AND l.objid = g.lock_key AND l.objsubid = 2
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                FROM gateway_instance g WHERE g.dead_at IS NULL AND g.owner <> $1
                """, _watcher) { Parameters = { new() { Value = self }, new() { Value = (uint)LockClass, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid } } };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            List<Guid> free = [];
            var held = 0;
            while (await reader.ReadAsync(cancellationToken))
            {
                if (reader.GetBoolean(1))
                    held++;
                else
                    free.Add(reader.GetGuid(0));
            }

            return (free, held);
        }
        catch
        {
            // A break in the connection starts the watch over: what was seen free before it proves nothing.
            await _watcher.DisposeAsync();
            _watcher = null;
            throw;
        }
    }

    static async Task<bool> IsAliveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is NpgsqlException or ObjectDisposedException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_holder is not null)
            await _holder.DisposeAsync();
        if (_watcher is not null)
            await _watcher.DisposeAsync();
    }
}
