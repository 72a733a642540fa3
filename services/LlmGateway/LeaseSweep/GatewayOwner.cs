using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Restore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.LeaseSweep;

/// <summary>What a flush reads before anything may be sent.</summary>
readonly record struct Gate(bool Halted, bool OwnerIsAlive, Guid Owner, DateTime Now);

/// <summary>
/// This process's identity in the ledger: the owner of the calls it takes. It lives as long as its lease, on the database's clock; a live
/// process that finds itself dead registers anew, and what it had not sent belongs to others.
/// </summary>
sealed partial class GatewayOwner(LedgerTransactions transactions, IOwnerLock ownerLock, LedgerContinuity continuity, IOptions<LlmGatewayOptions> options, ILogger<GatewayOwner> logger)
{
    Guid _registering;
    int _lockKey;

    public Guid Current { get; private set; }
    public string Worker { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";
    public bool IsRegistered => Current != Guid.Empty;

    /// <summary>Instances that share the engines' limits, this one included: the living, and the dead that the sweep has not seen to.</summary>
    public int Instances { get; private set; } = 1;

    /// <summary>This instance's place among them, from 0.</summary>
    public int Place { get; private set; }

    /// <summary>Whether every other instance has shrunk to its share, so that this one may use its own.</summary>
    public bool MayUseShare { get; private set; }

    /// <summary>This instance's part of a limit that all instances share.</summary>
    public int ShareOf(int limit) => !MayUseShare ? 0 : limit / Instances + (Place < limit % Instances ? 1 : 0);

    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        var owner = Guid.CreateVersion7();
        var lockKey = BitConverter.ToInt32(owner.ToByteArray(), 12) & int.MaxValue;
        // The lock first: an owner that is listed is an owner that holds its lock.
        await ownerLock.HoldAsync(lockKey, cancellationToken);
        var before = _registering;
        _registering = owner;
        await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            // A registration of this process whose end it did not see may be listed: it holds nothing, and others would wait for its share until its lease ends.
            await session.ExecuteAsync(new Statement("UPDATE gateway_instance SET dead_at = $2, lease_until = $2 WHERE owner = $1 AND dead_at IS NULL").With(before).With(now), token);
            await session.ExecuteAsync(
                new Statement("INSERT INTO gateway_instance (owner, worker, lock_key, started_at, lease_until, divisor, changes_seen) VALUES ($1, $2, $3, $4, $5, 0, 0)")
                    .With(owner).With(Worker).With(lockKey).With(now).With(now + options.Value.Lease), token);
        }, cancellationToken);
        // While it was taken for dead the others have grown, and what it had on the wire is still there.
        (Current, _lockKey, MayUseShare) = (owner, lockKey, false);
        Registered(logger, owner, Worker);
        await RenewAsync(() => false, cancellationToken);
    }

    /// <summary>Renews the lease and counts who shares the limits; registers anew if this owner was taken for dead.</summary>
    /// <param name="isWithinShare">Whether no more is on the wire than this owner's share, which has shrunk before this is asked. Others use theirs only then.</param>
    /// <param name="cancellationToken">Ends the renewal.</param>
    /// <returns>False if the owner had died.</returns>
    public async Task<bool> RenewAsync(Func<bool> isWithinShare, CancellationToken cancellationToken)
    {
        await ownerLock.HoldAsync(_lockKey, cancellationToken);
        var (alive, sharing) = await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            var renewed = await session.ExecuteAsync(
                new Statement("UPDATE gateway_instance SET lease_until = $2 WHERE owner = $1 AND dead_at IS NULL AND lease_until > $3").With(Current).With(now + options.Value.Lease).With(now), token);
            // What the dead had on the wire takes their share until the sweep has said what became of it.
            var instances = await session.QueryAsync(
                new Statement("SELECT owner, divisor FROM gateway_instance WHERE swept_at IS NULL ORDER BY started_at, owner"), row => (Owner: row.GetGuid(0), Divisor: row.GetInt32(1)), token);
            // Said before this instance grows: who joins now must wait for it to shrink again.
            await session.ExecuteAsync(new Statement("UPDATE gateway_instance SET divisor = $2 WHERE owner = $1 AND divisor > $2").With(Current).With(instances.Count), token);
            return (renewed == 1, instances);
        }, cancellationToken);
        if (!alive)
        {
            Lost(logger, Current);
            await RegisterAsync(cancellationToken);
            return false;
        }

        Instances = sharing.Count;
        Place = sharing.Select(instance => instance.Owner).ToList().IndexOf(Current);
        MayUseShare |= sharing.Where(instance => instance.Owner != Current).All(instance => instance.Divisor >= sharing.Count);
        if (sharing.Any(instance => instance.Owner == Current && instance.Divisor < sharing.Count) && isWithinShare())
            await transactions.RunAsync((session, _, token) => session.ExecuteAsync(
                new Statement("UPDATE gateway_instance SET divisor = $2 WHERE owner = $1").With(Current).With(sharing.Count), token), cancellationToken);
        return true;
    }

    /// <summary>Ends the ownership of a process that stops in order.</summary>
    public Task RetireAsync(CancellationToken cancellationToken) => transactions.RunAsync(async (session, _, token) =>
    {
        var now = await session.NowAsync(token);
        await session.ExecuteAsync(new Statement("UPDATE gateway_instance SET dead_at = $2, lease_until = $2 WHERE owner = $1").With(Current).With(now), token);
    }, cancellationToken);

    /// <summary>
    /// Asks, as a part of a group, for the database's clock if this owner has not been taken for dead, and keeps it from that until the
    /// transaction ends. Once the group has run what this returns is the time, or null for a dead owner.
    /// </summary>
    public static Func<DateTime?> AskIsAlive(LedgerSession session, StatementGroup group, Guid owner)
    {
        var alive = group.Query(SelectAlive(session, session.Clock, owner), row => session.ReadClock(row, 0));
        return () => alive.Rows is [var now] ? now : null;
    }

    /// <summary>Reads halt, continuity and lease inside a flush's transaction, as a part of a group; the gate is there once the group has run.</summary>
    public Func<Gate> AskGate(LedgerSession session, StatementGroup group)
    {
        var owner = Current;
        var lease = group.Query(SelectAlive(session, "lease_until", owner), row => row.Utc(0));
        var known = continuity.Highest;
        // The clock last: whatever this transaction waited for counts against lease and deadlines.
        var halt = group.Query(
            new Statement($"SELECT halted, ledger_sequence, {session.Clock} FROM spending_halt WHERE id = 1"), row => (IsHalted: row.GetInt32(0) != 0, Sequence: row.GetInt64(1), Now: session.ReadClock(row, 2)));
        return () =>
        {
            var (isHalted, sequence, now) = halt.Rows[0];
            return new Gate(isHalted || !continuity.Follows(known, sequence), lease.Rows is [var until] && until > now, owner, now);
        };
    }

    static Statement SelectAlive(LedgerSession session, string column, Guid owner) =>
        new Statement($"SELECT {column} FROM gateway_instance WHERE owner = $1 AND dead_at IS NULL{session.ForShare}").With(owner);

    [LoggerMessage(LogLevel.Information, "This gateway takes calls as owner {Owner} ({Worker})")]
    static partial void Registered(ILogger logger, Guid owner, string worker);

    [LoggerMessage(LogLevel.Warning, "Owner {Owner} was taken for dead while this process lived (it was frozen, or the database was away longer than the lease); registering anew")]
    static partial void Lost(ILogger logger, Guid owner);
}
