using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using MassTransit.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Takes committed rows of one DbContext to the broker. Rows this process has just written are sent from memory; what is left over (a
/// crash, a broker that was away, another instance's rows) and what is due on the schedule is swept. Confirmed rows are deleted in bulk.
/// </summary>
internal sealed partial class OutboxDelivery<TDbContext>(
    IServiceScopeFactory scopes, IBusControl bus, OutboxSettings<TDbContext> settings, IEnumerable<IDeliveryProbe> probes,
    ILogger<OutboxDelivery<TDbContext>> logger) : BackgroundService, IOutboxSweeper
    where TDbContext : DbContext
{
    private const int PendingRows = 5_000;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan AnnounceEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ErrorPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BusPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ObserveEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CleanUpEvery = TimeSpan.FromSeconds(30);
    private static readonly ActivitySource Activities = new("Assay.Outbox");
    private readonly Channel<IReadOnlyList<OutboxMessage>> _committed = Channel.CreateUnbounded<IReadOnlyList<OutboxMessage>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<IReadOnlyList<OutboxMessage>> _confirmed = Channel.CreateUnbounded<IReadOnlyList<OutboxMessage>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<Guid, bool> _inFlight = new();
    private readonly SemaphoreSlim _look = new(0, 1);
    private readonly SemaphoreSlim _announce = new(0, 1);
    private readonly ConcurrentQueue<OutboxMessage> _leftBehind = new();
    private readonly OutboxMetrics _metrics = new(typeof(TDbContext).Name);
    private readonly IDeliveryProbe[] _probes = [.. probes];
    private int _pending;
    private bool _listens;

    // When the sweeper will look without being woken; while it looks, no time is early enough.
    private long _nextLook = long.MaxValue;

    /// <summary>How long a writer has to send its rows before a sweeper may take them.</summary>
    public TimeSpan Lease => settings.MessageDeliveryTimeout;

    Type IOutboxSweeper.Context => typeof(TDbContext);

    bool IOutboxSweeper.WantsToListen => settings is { Sweeps: true, ListensToOthers: true };

    bool IOutboxSweeper.Listens
    {
        set
        {
            Volatile.Write(ref _listens, value);
            _metrics.Listens = value;
        }
    }

    /// <summary>Makes the sweeper look now: something earlier than it knew may be due.</summary>
    public void Look() => Release(_look);

    /// <summary>
    /// Something that is due later was committed: this process's sweeper is woken if it would look too late, or, if it has none, the
    /// others are told unless they look in time anyway.
    /// </summary>
    /// <param name="delay">How much later.</param>
    public void Wake(TimeSpan delay)
    {
        if (!settings.Sweeps)
        {
            if (delay < settings.ListeningQueryDelay)
                Release(_announce);
        }
        else if (Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency) < Volatile.Read(ref _nextLook))
        {
            Release(_look);
        }
    }

    /// <summary>Tells this process's sweeper and those of the others that something is due.</summary>
    public void WakeAll()
    {
        Release(_look);
        Release(_announce);
    }

    private static void Release(SemaphoreSlim signal)
    {
        try
        {
            signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    /// <summary>Sends committed rows in the background, at once. With too many waiting they are left to the sweeper.</summary>
    public void Enqueue(IReadOnlyList<OutboxMessage> rows)
    {
        if (rows.Count == 0 || Volatile.Read(ref _pending) > PendingRows)
            return;
        var due = rows.Where(IsDue).ToList();
        Interlocked.Add(ref _pending, due.Count);
        foreach (var row in due)
            _inFlight[row.MessageId] = true;
        _committed.Writer.TryWrite(due);
        WakeForDeferred(rows);
    }

    /// <summary>
    /// Sends a consumer's committed rows and returns when all are confirmed or failed. A failure is not the consumer's: its effects are
    /// committed, so it is logged and the sweeper goes on.
    /// </summary>
    public async Task SendCommittedAsync(IReadOnlyList<OutboxMessage> rows, CancellationToken cancellationToken)
    {
        var due = rows.All(IsDue) ? rows : [.. rows.Where(IsDue)];
        foreach (var row in due)
            _inFlight[row.MessageId] = true;
        foreach (var probe in _probes)
            await probe.CommittedAsync();
        var failures = await SendAllAsync(due, cancellationToken);
        foreach (var probe in _probes)
            await probe.SentAsync();
        Confirm(due, failures);
        WakeForDeferred(rows);
    }

    /// <summary>Counts a message that was scheduled for another delivery.</summary>
    public void CountRedelivery() => _metrics.Redelivered();

    /// <summary>Says why a message is neither consumed nor acknowledged.</summary>
    public void LogRedeliveryWaits(Exception exception, Guid? messageId) => RedeliveryWaits(logger, exception, messageId, typeof(TDbContext).Name);

    public override void Dispose()
    {
        _metrics.Dispose();
        _look.Dispose();
        _announce.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // What was confirmed while stopping: deleting it now spares the next start a second send.
        for (var rest = TakeConfirmed(); rest.Count > 0; rest = TakeConfirmed())
            await RemoveAsync(rest, cancellationToken);
        await LeaveAsync(cancellationToken);
    }

    /// <summary>What this process will not send any more is due at once, for whoever goes on.</summary>
    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        while (_committed.Reader.TryRead(out var group))
        {
            foreach (var row in group)
                _leftBehind.Enqueue(row);
        }

        var numbers = _leftBehind.Select(row => row.SequenceNumber).Where(number => number != 0).ToArray();
        if (numbers.Length == 0)
            return;
        await ExecuteAsync((sql, command) => $"UPDATE {sql.Outbox} SET \"NextTryAt\" = {sql.Dialect.Now} WHERE {sql.Dialect.IsOneOf(command, "\"SequenceNumber\"", numbers)} AND \"Tries\" = 0", cancellationToken);
        await AnnounceAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Hosted services start one after another, and SQLite works synchronously: leave the starting thread.
        await Task.Yield();
        await WaitForBusAsync(stoppingToken);
        await Task.WhenAll(SendLoopAsync(stoppingToken), RemoveLoopAsync(stoppingToken), AnnounceLoopAsync(stoppingToken), settings.Sweeps ? SweepLoopAsync(stoppingToken) : Task.CompletedTask);
    }

    /// <summary>
    /// Announces after the commit and in a transaction of its own, never in the sender's: NOTIFY lets the transactions of a database
    /// commit only one after another. If the process dies in between, the others find the rows when they look.
    /// </summary>
    private async Task AnnounceLoopAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _announce.WaitAsync(stoppingToken);
            try
            {
                await AnnounceAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                NotAnnounced(logger, exception, typeof(TDbContext).Name);
            }

            // However many commit meanwhile, one announcement tells of them all.
            await Task.Delay(AnnounceEvery, stoppingToken);
        }
    }

    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<TDbContext>();
        var sql = MessagingSql.Of(context);
        if (!sql.Dialect.Notifies)
            return;
        await context.Database.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(context, command => $"SELECT pg_notify({command.Add(OutboxListener.Channel)},{command.Add(sql.Outbox)})", cancellationToken);
    }

    /// <summary>Waits while the broker is away. One endpoint that is not ready must not hold up all the others' messages.</summary>
    private async Task WaitForBusAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            patience.CancelAfter(BusPatience);
            try
            {
                await bus.WaitForHealthStatus(BusHealthStatus.Healthy, patience.Token);
                return;
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                if (bus.CheckHealth().Status == BusHealthStatus.Degraded)
                    return;
            }
        }
    }

    private static bool IsDue(OutboxMessage row) => row.EnqueueTime is null || row.EnqueueTime <= row.SentTime;

    private void WakeForDeferred(IReadOnlyList<OutboxMessage> rows)
    {
        foreach (var row in rows)
        {
            if (!IsDue(row))
                Wake(row.EnqueueTime!.Value - row.SentTime);
        }
    }

    private async Task SendLoopAsync(CancellationToken stoppingToken)
    {
        while (await _committed.Reader.WaitToReadAsync(stoppingToken))
        {
            var rows = new List<OutboxMessage>();
            while (rows.Count < settings.MessageDeliveryLimit && _committed.Reader.TryRead(out var group))
                rows.AddRange(group);
            Interlocked.Add(ref _pending, -rows.Count);
            foreach (var probe in _probes)
                await probe.CommittedAsync();
            var failures = await SendAllAsync(rows, stoppingToken);
            foreach (var probe in _probes)
                await probe.SentAsync();
            Confirm(rows, failures);
        }
    }

    private void Confirm(IReadOnlyList<OutboxMessage> rows, Dictionary<OutboxMessage, Exception> failures) =>
        _confirmed.Writer.TryWrite(failures.Count == 0 ? rows : [.. rows.Where(row => !failures.ContainsKey(row))]);

    private async Task RemoveLoopAsync(CancellationToken stoppingToken)
    {
        while (await _confirmed.Reader.WaitToReadAsync(stoppingToken))
        {
            // Nobody waits for these deletes: a moment later there are more of them for the same commit.
            await Task.Delay(Gathering, stoppingToken);
            var confirmed = TakeConfirmed();
            while (true)
            {
                try
                {
                    await RemoveAsync(confirmed, stoppingToken);
                    break;
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    // They stay and are swept: sent twice with the same message id, consumed once.
                    NotRemoved(logger, exception, confirmed.Count, typeof(TDbContext).Name);
                    await Task.Delay(ErrorPause, stoppingToken);
                }
            }
        }
    }

    private List<OutboxMessage> TakeConfirmed()
    {
        var rows = new List<OutboxMessage>();
        while (rows.Count < settings.QueryMessageLimit && _confirmed.Reader.TryRead(out var group))
            rows.AddRange(group);
        return rows;
    }

    private async Task RemoveAsync(List<OutboxMessage> rows, CancellationToken cancellationToken)
    {
        var numbered = rows.Where(row => row.SequenceNumber != 0).Select(row => row.SequenceNumber).ToArray();
        var unnumbered = rows.Where(row => row.SequenceNumber == 0).Select(row => row.MessageId).ToArray();
        if (numbered.Length > 0)
            await ExecuteAsync((sql, command) => $"DELETE FROM {sql.Outbox} WHERE {sql.Dialect.IsOneOf(command, "\"SequenceNumber\"", numbered)}", cancellationToken);
        if (unnumbered.Length > 0)
            await ExecuteAsync((sql, command) => $"DELETE FROM {sql.Outbox} WHERE {sql.Dialect.IsOneOf(command, "\"MessageId\"", unnumbered)}", cancellationToken);
        foreach (var row in rows)
            _inFlight.TryRemove(row.MessageId, out _);
    }

    /// <summary>One statement in a scope and commit of its own; where writers queue, in a transaction that waits its turn.</summary>
    private async Task<int> ExecuteAsync(Func<MessagingSql, System.Data.Common.DbCommand, string> text, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<TDbContext>();
        var sql = MessagingSql.Of(context);
        await context.Database.OpenConnectionAsync(cancellationToken);
        await using var transaction = sql.Dialect.QueuesWriters ? await context.Database.BeginTransactionAsync(cancellationToken) : null;
        var changed = await ExecuteAsync(context, command => text(sql, command), cancellationToken);
        if (transaction is not null)
            await transaction.CommitAsync(cancellationToken);
        return changed;
    }

    /// <summary>Starts every send in order, then awaits the confirms together; what failed is returned with its cause.</summary>
    private async Task<Dictionary<OutboxMessage, Exception>> SendAllAsync(IReadOnlyList<OutboxMessage> rows, CancellationToken cancellationToken)
    {
        var failures = new Dictionary<OutboxMessage, Exception>();
        var sends = new Task[rows.Count];
        for (var i = 0; i < rows.Count; i++)
            sends[i] = SendAsync(rows[i], cancellationToken);
        for (var i = 0; i < rows.Count; i++)
        {
            try
            {
                await sends[i];
                _metrics.Sent(rows[i]);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested || exception is not OperationCanceledException)
            {
                failures[rows[i]] = exception;
            }
            catch (OperationCanceledException exception)
            {
                failures[rows[i]] = exception;
            }
        }

        if (failures.Count > 0)
            _metrics.Failed(failures.Count);
        foreach (var (row, exception) in failures)
        {
            _inFlight.TryRemove(row.MessageId, out _);
            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
                _leftBehind.Enqueue(row);
            NotSent(logger, exception, row.MessageId, row.DestinationAddress, typeof(TDbContext).Name);
        }

        return failures;
    }

    private async Task SendAsync(OutboxMessage row, CancellationToken cancellationToken)
    {
        if (row.ExpirationTime is { } expires && SqlCommandExtensions.Utc(expires) <= DateTime.UtcNow)
        {
            // Its sender gave it a time to live; a transport would refuse a negative one for ever.
            Expired(logger, row.MessageId, row.DestinationAddress, expires);
            return;
        }

        var destination = row.DestinationAddress ?? throw new MessageException(typeof(OutboxMessage), $"The outbox row {row.SequenceNumber} (message {row.MessageId}) has no destination address.");
        StoredMessage.Check(row, settings.MaxMessageBytes);
        var pipe = new StoredMessageSendPipe(row, destination);
        // Goes on with the sender's trace, whoever sends the row and whenever.
        using var activity = pipe.Trace is { } parent ? Activities.StartActivity("outbox deliver", ActivityKind.Internal, parent) : null;
        var endpoint = await bus.GetSendEndpoint(destination);
        try
        {
            // The transport may notice a cancelled or lost confirm only after its own, longer timeout.
            await endpoint.Send(new SerializedMessageBody(), pipe, cancellationToken)
                .WaitAsync(settings.MessageDeliveryTimeout, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            // A refused exchange closes the channel, and the transport waits for the next one: it tells its log, not the sender.
            throw new TimeoutException($"The broker did not confirm the message for {destination} within {settings.MessageDeliveryTimeout}. If other messages leave, the broker refuses this one: look for ACCESS_REFUSED in this service's log and at its user's permissions.", exception);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Message {MessageId} for {Destination} could not be sent; it stays in the outbox of {Context} and is tried again")]
    private static partial void NotSent(ILogger logger, Exception exception, Guid messageId, Uri? destination, string context);

    [LoggerMessage(LogLevel.Information, "Message {MessageId} for {Destination} expired at {Expires} before it could be sent; it is dropped")]
    private static partial void Expired(ILogger logger, Guid messageId, Uri? destination, DateTime expires);

    [LoggerMessage(LogLevel.Warning, "The redelivery of message {MessageId} could not be scheduled because the database of {Context} is away; the message waits unacknowledged")]
    private static partial void RedeliveryWaits(ILogger logger, Exception exception, Guid? messageId, string context);

    [LoggerMessage(LogLevel.Warning, "Other processes could not be told that the outbox of {Context} holds something for them; they find it when they look")]
    private static partial void NotAnnounced(ILogger logger, Exception exception, string context);

    [LoggerMessage(LogLevel.Warning, "{Count} sent messages could not be removed from the outbox of {Context} yet; trying again")]
    private static partial void NotRemoved(ILogger logger, Exception exception, int count, string context);
}
