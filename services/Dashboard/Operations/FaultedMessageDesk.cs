using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Operations;

/// <summary>Which messages of one queue: one by its key, or those that fault alike.</summary>
public sealed record FaultedSelection(string? Queue, string? Key = null, string? FaultType = null, string? MessageType = null)
{
    internal bool Names(FaultedMessage message) => !message.IsExpiredRequest && (
        Key is { Length: > 0 } key ? message.Key == key
        : (FaultType is null || message.FaultType == FaultType) && (MessageType is null || message.MessageType == MessageType));

    internal string Describe(int count) => Key is { Length: > 0 } key ? $"message {key} of {Queue}"
        : $"{Show.Many(count, "message")} of {Queue}{(MessageType is null ? "" : $", {MessageType}")}{(FaultType is null ? "" : $", {FaultType}")}";
}

/// <summary>Messages of one queue that fault alike.</summary>
public sealed record FaultedGroup(string Queue, string MessageType, string FaultType, int Count, IReadOnlyList<FaultedMessage> Messages);

/// <summary>What lies in the error queues of all services.</summary>
/// <param name="Unavailable">Why nothing can be shown; null if it can.</param>
/// <param name="Queues">The queues that hold something.</param>
public sealed record FaultedOverview(string? Unavailable, IReadOnlyList<FaultedQueue> Queues)
{
    public long Count => Queues.Sum(queue => queue.Count);

    public IReadOnlyList<FaultedGroup> Groups => [.. Queues.SelectMany(queue => queue.Messages).GroupBy(message => (message.Queue, message.MessageType, message.FaultType))
        .Select(group => new FaultedGroup(group.Key.Queue, group.Key.MessageType, group.Key.FaultType, group.Count(), [.. group])).OrderByDescending(group => group.Count)];
}

/// <summary>The error and dead-letter queues of all services, found by the names the services tell and told before.</summary>
sealed class FaultedMessageDesk(DashboardDbContext db, IFaultedMessages messages, TimeProvider time)
{
    /// <summary>Remembers the queues each service reads: those of a service that is down matter most.</summary>
    public async Task LearnAsync(IReadOnlyList<ServiceState> services, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var known = await db.KnownQueues.AsNoTracking().Select(queue => queue.Name).ToListAsync(cancellationToken);
        foreach (var (service, name) in services.SelectMany(state => (state.Health?.Queues ?? []).Except(known, StringComparer.Ordinal).Select(queue => (state.Service, queue))))
            await db.Database.ExecuteSqlAsync($"INSERT INTO known_queue (name, service, learned_at) VALUES ({name}, {service}, {now}) ON CONFLICT (name) DO NOTHING", cancellationToken);
    }

    public async Task<FaultedOverview> LookAsync(CancellationToken cancellationToken)
    {
        if (messages.Unavailable is { } reason)
            return new FaultedOverview(reason, []);
        try
        {
            return new FaultedOverview(null, await messages.LookAsync(await db.KnownQueues.AsNoTracking().Select(queue => queue.Name).ToListAsync(cancellationToken), cancellationToken));
        }
        catch (BrokerUnavailableException exception)
        {
            return new FaultedOverview(exception.Message, []);
        }
    }

    /// <summary>Not more than were counted before: what came since was not agreed to.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer, or takes no more.</exception>
    public Task<int> SendAgainAsync(FaultedSelection selection, int most, CancellationToken cancellationToken)
    {
        var left = most;
        return messages.SendAgainAsync(selection.Queue!, message => selection.Names(message) && left-- > 0, cancellationToken);
    }
}
