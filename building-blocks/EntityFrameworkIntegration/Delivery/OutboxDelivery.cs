using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using MassTransit.Middleware;
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
    ILogger<OutboxDelivery<TDbContext>> logger) : BackgroundService
    where TDbContext : DbContext
{
    private const int PendingRows = 5_000;
    private static readonly TimeSpan ErrorPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BusPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ObserveEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CleanUpEvery = TimeSpan.FromSeconds(30);
    private static readonly ActivitySource Activities = new("Assay.Outbox");
    private readonly Channel<IReadOnlyList<OutboxMessage>> _committed = Channel.CreateUnbounded<IReadOnlyList<OutboxMessage>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<Confirmed> _confirmed = Channel.CreateUnbounded<Confirmed>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<Guid, bool> _inFlight = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly OutboxMetrics _metrics = new(typeof(TDbContext).Name);
    private readonly IDeliveryProbe[] _probes = [.. probes];
    private int _pending;

    private sealed record Confirmed(IReadOnlyList<OutboxMessage> Rows, long? InboxId);

    /// <summary>How long a writer has to send its rows before a sweeper may take them.</summary>
    public TimeSpan Lease => settings.MessageDeliveryTimeout;

    /// <summary>Makes the sweeper look now: something earlier than it knew may be due.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
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
        if (due.Count < rows.Count)
            Wake();
    }

    /// <summary>
    /// Sends a consumer's committed rows and returns when all are confirmed or failed. A failure is not the consumer's: its effects are
    /// committed, so it is logged and the sweeper goes on.
    /// </summary>
    public async Task SendCommittedAsync(IReadOnlyList<OutboxMessage> rows, long inboxId, CancellationToken cancellationToken)
    {
        var due = rows.Where(IsDue).ToList();
        foreach (var row in due)
            _inFlight[row.MessageId] = true;
        foreach (var probe in _probes)
            await probe.CommittedAsync();
        var failures = await SendAllAsync(due, cancellationToken);
        foreach (var probe in _probes)
            await probe.SentAsync();
        if (failures.Count == 0 && due.Count == rows.Count)
            _confirmed.Writer.TryWrite(new Confirmed(due, inboxId));
        else if (due.Count > failures.Count)
            _confirmed.Writer.TryWrite(new Confirmed([.. due.Where(row => !failures.ContainsKey(row))], null));
        if (due.Count < rows.Count)
            Wake();
    }

    /// <summary>Counts a message that was scheduled for another delivery.</summary>
    public void CountRedelivery() => _metrics.Redelivered();

    /// <summary>Says why a message is neither consumed nor acknowledged.</summary>
    public void LogRedeliveryWaits(Exception exception, Guid? messageId) => RedeliveryWaits(logger, exception, messageId, typeof(TDbContext).Name);

    public override void Dispose()
    {
        _metrics.Dispose();
        _wake.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // What was confirmed while stopping: deleting it now spares the next start a second send.
        var rest = TakeConfirmed();
        if (rest.Count > 0)
            await RemoveAsync(rest, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Hosted services start one after another, and SQLite works synchronously: leave the starting thread.
        await Task.Yield();
        await WaitForBusAsync(stoppingToken);
        await Task.WhenAll(SendLoopAsync(stoppingToken), RemoveLoopAsync(stoppingToken), settings.Sweeps ? SweepLoopAsync(stoppingToken) : Task.CompletedTask);
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
            _confirmed.Writer.TryWrite(new Confirmed(failures.Count == 0 ? rows : [.. rows.Where(row => !failures.ContainsKey(row))], null));
        }
    }

    private async Task RemoveLoopAsync(CancellationToken stoppingToken)
    {
        while (await _confirmed.Reader.WaitToReadAsync(stoppingToken))
        {
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
                    NotRemoved(logger, exception, confirmed.Sum(group => group.Rows.Count), typeof(TDbContext).Name);
                    await Task.Delay(ErrorPause, stoppingToken);
                }
            }
        }
    }

    private List<Confirmed> TakeConfirmed()
    {
        var groups = new List<Confirmed>();
        while (groups.Count < settings.QueryMessageLimit && _confirmed.Reader.TryRead(out var group))
            groups.Add(group);
        return groups;
    }

    private async Task RemoveAsync(List<Confirmed> groups, CancellationToken cancellationToken)
    {
        var numbered = groups.SelectMany(group => group.Rows).Where(row => row.SequenceNumber != 0).Select(row => row.SequenceNumber).ToArray();
        var unnumbered = groups.SelectMany(group => group.Rows).Where(row => row.SequenceNumber == 0).Select(row => row.MessageId).ToArray();
        var inboxes = groups.Where(group => group.InboxId.HasValue).Select(group => group.InboxId!.Value).ToArray();
        if (numbered.Length + unnumbered.Length + inboxes.Length == 0)
            return;

        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        var dialect = SqlDialect.Of(context);
        var outbox = context.TableName(typeof(OutboxMessage));
        await using var command = context.Database.CreateCommand();
        var statements = new List<string>();
        if (numbered.Length > 0)
            statements.Add($"DELETE FROM {outbox} WHERE {dialect.IsOneOf(command, "\"SequenceNumber\"", numbered)}");
        if (unnumbered.Length > 0)
            statements.Add($"DELETE FROM {outbox} WHERE {dialect.IsOneOf(command, "\"MessageId\"", unnumbered)}");
        if (inboxes.Length > 0)
            statements.Add($"UPDATE {context.TableName(typeof(InboxState))} SET \"Delivered\" = {dialect.Now} WHERE {dialect.IsOneOf(command, "\"Id\"", inboxes)}");
        command.CommandText = string.Join(";\n", statements);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var row in groups.SelectMany(group => group.Rows))
            _inFlight.TryRemove(row.MessageId, out _);
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

        var message = OutboxRows.Restore(row);
        var destination = row.DestinationAddress ?? throw new MessageException(typeof(OutboxMessage), $"The outbox row {row.SequenceNumber} (message {row.MessageId}) has no destination address.");
        // Goes on with the sender's trace, whoever sends the row and whenever.
        using var activity = message.Headers?.Contains(OutboxRows.TraceHeader, StringComparison.Ordinal) == true && ((MessageContext)message).Headers.Get<string>(OutboxRows.TraceHeader) is { } parent
            ? Activities.StartActivity("outbox deliver", ActivityKind.Internal, parent)
            : null;
        var endpoint = await bus.GetSendEndpoint(destination);
        // The transport may notice a cancelled or lost confirm only after its own, longer timeout.
        await endpoint.Send(new SerializedMessageBody(), new OutboxMessageSendPipe(message, destination), cancellationToken)
            .WaitAsync(settings.MessageDeliveryTimeout, cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "Message {MessageId} for {Destination} could not be sent; it stays in the outbox of {Context} and is tried again")]
    private static partial void NotSent(ILogger logger, Exception exception, Guid messageId, Uri? destination, string context);

    [LoggerMessage(LogLevel.Information, "Message {MessageId} for {Destination} expired at {Expires} before it could be sent; it is dropped")]
    private static partial void Expired(ILogger logger, Guid messageId, Uri? destination, DateTime expires);

    [LoggerMessage(LogLevel.Warning, "The redelivery of message {MessageId} could not be scheduled because the database of {Context} is away; the message waits unacknowledged")]
    private static partial void RedeliveryWaits(ILogger logger, Exception exception, Guid? messageId, string context);

    [LoggerMessage(LogLevel.Warning, "{Count} sent messages could not be removed from the outbox of {Context} yet; trying again")]
    private static partial void NotRemoved(ILogger logger, Exception exception, int count, string context);
}
