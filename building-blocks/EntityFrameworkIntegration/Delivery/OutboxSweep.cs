using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MassTransit.EntityFrameworkCoreIntegration;

internal sealed partial class OutboxDelivery<TDbContext>
{
    private sealed record Claimed(OutboxMessage Row, int Tries, Guid? TokenId, Exception? Unreadable = null);

    private async Task SweepLoopAsync(CancellationToken stoppingToken)
    {
        var nextCleanUp = DateTime.UtcNow;
        var nextObservation = DateTime.UtcNow;
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Volatile.Read(ref _listens) ? settings.ListeningQueryDelay : settings.QueryDelay;
            try
            {
                await WaitForBusAsync(stoppingToken);
                var counts = DateTime.UtcNow >= nextObservation;
                var due = await SecondsUntilDueAsync(counts, stoppingToken);
                if (counts)
                    nextObservation = DateTime.UtcNow + ObserveEvery;
                if (due is <= 0)
                {
                    // Nothing to claim although something is due: another transaction holds it, and may for some seconds.
                    if (await SweepOutboxAsync(stoppingToken) + await SweepScheduleAsync(stoppingToken) == 0)
                        await Task.Delay(LockedPause, stoppingToken);
                    continue;
                }

                if (settings.CleansInbox && DateTime.UtcNow >= nextCleanUp)
                {
                    await CleanInboxAsync(stoppingToken);
                    nextCleanUp = DateTime.UtcNow + (settings.DuplicateDetectionWindow < CleanUpEvery ? ErrorPause : CleanUpEvery);
                }

                if (due is { } seconds && seconds < pause.TotalSeconds)
                    pause = TimeSpan.FromSeconds(seconds);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The database is away, busy or restarting; nothing is lost by looking again later.
                NotSwept(logger, exception, typeof(TDbContext).Name);
                pause = ErrorPause;
            }

            // A claimed row is never due at once, so the shortest pause only bounds rounding.
            if (pause < MinimumPause)
                pause = MinimumPause;
            Volatile.Write(ref _nextLook, Stopwatch.GetTimestamp() + (long)(pause.TotalSeconds * Stopwatch.Frequency));
            await _look.WaitAsync(pause, stoppingToken);
            Volatile.Write(ref _nextLook, long.MaxValue);
        }
    }

    private static readonly TimeSpan LockedPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MinimumPause = TimeSpan.FromMilliseconds(5);

    /// <summary>The idle look: one query, null when nothing waits. Now and then it also counts, for the metrics.</summary>
    private async Task<double?> SecondsUntilDueAsync(bool counts, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var (statistics, due) = await OutboxStatistics.LookAsync(scope.ServiceProvider.GetRequiredService<TDbContext>(), counts, settings.QueryTimeout, cancellationToken);
        if (counts)
            _metrics.Observe(statistics);
        return due;
    }

    private static bool HasSchedule(DbContext context) => context.Model.FindEntityType(typeof(ScheduledMessageRow)) is not null;

    /// <summary>Claims due rows in one statement (which counts the try, so that a row that kills the process is counted too), sends, then deletes or postpones.</summary>
    private async Task<int> SweepOutboxAsync(CancellationToken cancellationToken)
    {
        int count;
        var total = 0;
        do
        {
            var claimed = await ClaimAsync(
                "\"SequenceNumber\"", typeof(OutboxMessage), "\"NextTryAt\"", "\"Tries\"", "\"ParkedAt\"", $"\"SequenceNumber\",\"Tries\",{OutboxRows.ColumnList}",
                reader =>
                {
                    var row = OutboxRows.Read(reader, 2);
                    row.SequenceNumber = reader.GetInt64(0);
                    row.Tries = reader.GetInt32(1);
                    return new Claimed(row, reader.GetInt32(1), null);
                },
                cancellationToken);
            count = claimed.Count;
            total += count;
            await DeliverAsync([.. claimed.OrderBy(claim => claim.Row.SequenceNumber)], cancellationToken);
        }
        while (count == settings.QueryMessageLimit);

        return total;
    }

    private async Task<int> SweepScheduleAsync(CancellationToken cancellationToken)
    {
        await using (var scope = scopes.CreateAsyncScope())
        {
            if (!HasSchedule(scope.ServiceProvider.GetRequiredService<TDbContext>()))
                return 0;
        }

        int count;
        var total = 0;
        do
        {
            var claimed = await ClaimAsync(
                "token_id", typeof(ScheduledMessageRow), "due_at", "tries", "parked_at", "token_id,tries,message,message_id,destination",
                reader =>
                {
                    var (row, unreadable) = ScheduledMessages.Restore(reader.GetString(2), reader.GetGuid(3), reader.GetString(4));
                    return new Claimed(row, reader.GetInt32(1), reader.GetGuid(0), unreadable);
                },
                cancellationToken);
            count = claimed.Count;
            total += count;
            await DeliverAsync(claimed, cancellationToken);
        }
        while (count == settings.QueryMessageLimit);

        return total;
    }

    private async Task<List<Claimed>> ClaimAsync(
        string key, Type entity, string due, string tries, string parked, string returning, Func<System.Data.Common.DbDataReader, Claimed> read, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<TDbContext>();
        var dialect = SqlDialect.Of(context);
        var table = context.TableName(entity);
        await context.Database.OpenConnectionAsync(cancellationToken);
        await using var transaction = dialect.QueuesWriters ? await context.Database.BeginTransactionAsync(cancellationToken) : null;
        await using var command = context.Database.CreateCommand();
        command.CommandTimeout = (int)settings.QueryTimeout.TotalSeconds;
        // The lease outlasts this try's own timeout, so that no other sweeper takes a row that is still being sent.
        command.CommandText = $"""
            WITH claimed AS MATERIALIZED (SELECT {key} FROM {table} WHERE {parked} IS NULL AND {due} <= {dialect.Now} ORDER BY {due} LIMIT {settings.QueryMessageLimit}{dialect.SkipLocked})
            UPDATE {table} SET {due} = {dialect.NowPlus(settings.MessageDeliveryTimeout + settings.MessageDeliveryTimeout)}, {tries} = {tries} + 1
            WHERE {key} IN (SELECT {key} FROM claimed)
            RETURNING {returning}
            """;
        var claimed = new List<Claimed>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                claimed.Add(read(reader));
        }

        if (transaction is not null)
            await transaction.CommitAsync(cancellationToken);
        return claimed;
    }

    private async Task DeliverAsync(IReadOnlyList<Claimed> claimed, CancellationToken cancellationToken)
    {
        // What this process is already sending from memory needs no second send.
        var mine = claimed.Where(claim => _inFlight.TryAdd(claim.Row.MessageId, true)).ToList();
        foreach (var chunk in mine.Where(claim => claim.Tries <= 1).Chunk(settings.MessageDeliveryLimit))
        {
            var failures = await SendAllAsync([.. chunk.Where(claim => claim.Unreadable is null).Select(claim => claim.Row)], cancellationToken);
            foreach (var probe in _probes)
                await probe.SentAsync();
            await SettleAsync(chunk, failures, cancellationToken);
        }

        Claimed[] failedBefore = [.. mine.Where(claim => claim.Tries > 1)];
        if (failedBefore.Length > 0)
            await SettleAsync(failedBefore, await SendOneByOneAsync(failedBefore, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// A broker that refuses a message may close the channel, and whatever else was on it fails too: what has failed before goes alone,
    /// so that every row is judged by itself. What does not get its turn within a try's time has not been tried.
    /// </summary>
    private async Task<Dictionary<OutboxMessage, Exception>> SendOneByOneAsync(Claimed[] claimed, CancellationToken cancellationToken)
    {
        var failures = new Dictionary<OutboxMessage, Exception>();
        var started = Stopwatch.GetTimestamp();
        foreach (var claim in claimed.Where(claim => claim.Unreadable is null))
        {
            if (Stopwatch.GetElapsedTime(started) > settings.MessageDeliveryTimeout)
            {
                failures[claim.Row] = new OperationCanceledException("Not tried: those before it took the time.");
                continue;
            }

            foreach (var (row, failure) in await SendAllAsync([claim.Row], cancellationToken))
            {
                failures[row] = failure;
                // A closed channel needs a moment until it is opened again.
                await Task.Delay(LockedPause, cancellationToken);
            }
        }

        foreach (var probe in _probes)
            await probe.SentAsync();
        return failures;
    }

    /// <summary>Deletes what was confirmed, postpones or parks what failed.</summary>
    private async Task SettleAsync(Claimed[] claimed, Dictionary<OutboxMessage, Exception> failures, CancellationToken cancellationToken)
    {
        foreach (var claim in claimed)
        {
            if (claim.Unreadable is { } why)
                failures[claim.Row] = why;
        }

        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var context = scope.ServiceProvider.GetRequiredService<TDbContext>();
            var dialect = SqlDialect.Of(context);
            await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
            var sent = claimed.Where(claim => !failures.ContainsKey(claim.Row)).ToList();
            var numbers = sent.Where(claim => claim.TokenId is null).Select(claim => claim.Row.SequenceNumber).ToArray();
            var tokens = sent.Where(claim => claim.TokenId is not null).Select(claim => claim.TokenId!.Value).ToArray();
            if (numbers.Length > 0)
                await ExecuteAsync(context, command => $"DELETE FROM {context.TableName(typeof(OutboxMessage))} WHERE {dialect.IsOneOf(command, "\"SequenceNumber\"", numbers)}", cancellationToken);
            // Only in the version that was sent: the token may have been scheduled anew meanwhile.
            foreach (var claim in sent.Where(claim => claim.TokenId is not null))
                await ExecuteAsync(context, command => $"DELETE FROM {context.TableName(typeof(ScheduledMessageRow))} WHERE token_id = {command.Add(claim.TokenId)} AND message_id = {command.Add((Guid?)claim.Row.MessageId)}", cancellationToken);

            foreach (var claim in claimed.Where(claim => failures.ContainsKey(claim.Row)))
                await PostponeAsync(context, dialect, claim, failures[claim.Row], cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        finally
        {
            foreach (var claim in claimed)
                _inFlight.TryRemove(claim.Row.MessageId, out _);
        }
    }

    private async Task PostponeAsync(TDbContext context, SqlDialect dialect, Claimed claim, Exception failure, CancellationToken cancellationToken)
    {
        // A broker that is away is no fault of the row.
        var isAway = bus.CheckHealth().Status != BusHealthStatus.Healthy || failure is OperationCanceledException;
        var park = !isAway && claim.Tries >= settings.MaxDeliveryTries;
        var tries = isAway ? claim.Tries - 1 : claim.Tries;
        var pause = TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, Math.Min(tries, 6) - 1)));
        var error = $"{failure.GetType().Name}: {failure.Message}";
        if (claim.TokenId is { } token)
        {
            await ExecuteAsync(context, command => $"""
                UPDATE {context.TableName(typeof(ScheduledMessageRow))} SET tries = {command.Add((long)tries)}, last_error = {command.Add(error)},
                    due_at = {dialect.NowPlus(pause)}, parked_at = {(park ? dialect.Now : "NULL")} WHERE token_id = {command.Add((Guid?)token)} AND message_id = {command.Add((Guid?)claim.Row.MessageId)}
                """, cancellationToken);
        }
        else
        {
            await ExecuteAsync(context, command => $"""
                UPDATE {context.TableName(typeof(OutboxMessage))} SET "Tries" = {command.Add((long)tries)}, "LastError" = {command.Add(error)},
                    "NextTryAt" = {dialect.NowPlus(pause)}, "ParkedAt" = {(park ? dialect.Now : "NULL")} WHERE "SequenceNumber" = {command.Add(claim.Row.SequenceNumber)}
                """, cancellationToken);
        }

        if (park)
            Parked(logger, claim.Row.MessageId, claim.Row.DestinationAddress, typeof(TDbContext).Name, tries, error);
    }

    /// <summary>Forgets messages whose duplicate window is over, a bounded number at a time.</summary>
    private async Task CleanInboxAsync(CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            deleted = await ExecuteAsync((sql, _) =>
                $"WITH old AS MATERIALIZED (SELECT \"Id\" FROM {sql.Inbox} WHERE \"Delivered\" < {sql.Dialect.NowPlus(-settings.DuplicateDetectionWindow)} ORDER BY \"Delivered\" LIMIT {CleanUpRows}{sql.Dialect.SkipLocked}) "
                + $"DELETE FROM {sql.Inbox} WHERE \"Id\" IN (SELECT \"Id\" FROM old)",
                cancellationToken);
        }
        while (deleted == CleanUpRows);
    }

    private const int CleanUpRows = 1_000;

    private static async Task<int> ExecuteAsync(TDbContext context, Func<System.Data.Common.DbCommand, string> sql, CancellationToken cancellationToken)
    {
        await using var command = context.Database.CreateCommand();
        command.CommandText = sql(command);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "The outbox of {Context} could not be swept; trying again")]
    private static partial void NotSwept(ILogger logger, Exception exception, string context);

    [LoggerMessage(LogLevel.Error, "Message {MessageId} for {Destination} is parked in the outbox of {Context} after {Tries} tries: {Error}. Mend the cause, then release it (see the README of EntityFrameworkIntegration)")]
    private static partial void Parked(ILogger logger, Guid messageId, Uri? destination, string context, int tries, string error);
}
