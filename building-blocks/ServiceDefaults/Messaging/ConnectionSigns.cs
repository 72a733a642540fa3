using System.Collections.Concurrent;
using MassTransit;
using BrokerRefusal = RabbitMQ.Client.Exceptions.PublishException;

namespace Assay.ServiceDefaults;

/// <summary>
/// What was seen of the bus's one connection: when a new one was last tried, which queues are read since, and whether what is sent is
/// answered. A connection that died without telling all its channels shows in these signs only – its endpoints call themselves ready.
/// </summary>
public sealed class ConnectionSigns(TimeProvider time) : IBusObserver, IReceiveEndpointObserver, ISendObserver, IPublishObserver
{
    readonly ConcurrentDictionary<Uri, Endpoint> endpoints = new();
    readonly ConcurrentDictionary<Uri, Refusals> refused = new();
    readonly Lock unansweredGate = new();
    DateTimeOffset? unansweredSince;
    long connectingAt = time.GetUtcNow().UtcTicks;
    long seenAt = time.GetUtcNow().UtcTicks;
    volatile bool hasStarted;

    readonly record struct Endpoint(bool Reads, DateTimeOffset Since);

    /// <summary>When a destination first and last refused what was sent to it, with nothing confirmed in between.</summary>
    sealed record Refusals(DateTimeOffset First, DateTimeOffset Last);

    /// <summary>Whether every queue was read once, so that the bus counts as started.</summary>
    public bool HasStarted => hasStarted;

    /// <summary>Whether every endpoint that was heard of reads its queue over the newest connection.</summary>
    public bool AllRead => endpoints.Values.All(endpoint => endpoint.Reads && endpoint.Since >= ConnectingAt);

    DateTimeOffset ConnectingAt => new(Interlocked.Read(ref connectingAt), TimeSpan.Zero);

    /// <summary>A connection is about to be tried: nothing that was begun before counts against it.</summary>
    public void Connecting()
    {
        Interlocked.Exchange(ref connectingAt, time.GetUtcNow().UtcTicks);
        Seen();
        refused.Clear();
        lock (unansweredGate)
            unansweredSince = null;
    }

    /// <summary>
    /// Why a bus that has not started yet never will, or null while there is no reason to think so. A start waits for its broker and its
    /// queues without end, but not in silence: it tries and fails again and again.
    /// </summary>
    /// <param name="patience">How long nothing may be tried, and nothing fail.</param>
    public string? ReasonNotToStart(TimeSpan patience)
    {
        var silence = time.GetUtcNow() - new DateTimeOffset(Interlocked.Read(ref seenAt), TimeSpan.Zero);
        return silence < patience ? null : $"the bus has not started, and for {silence.TotalSeconds:0} s it has neither tried to connect nor failed to read a queue";
    }

    /// <summary>Why the connection must be given up, or null while there is no reason to.</summary>
    /// <param name="patience">How long nothing may be tried or read; three times as long nothing may be answered, since a broker without disk or memory lets publishers wait too.</param>
    public string? ReasonToGiveUp(TimeSpan patience)
    {
        var now = time.GetUtcNow();
        var connecting = ConnectingAt;
        // Whoever still tries to connect has a broker that is away, not a connection that is dead.
        if (now - connecting < patience)
            return null;
        var deaf = endpoints
            .Where(endpoint => (!endpoint.Value.Reads && now - endpoint.Value.Since >= patience) || (endpoint.Value.Reads && endpoint.Value.Since < connecting))
            .Select(endpoint => endpoint.Key.AbsolutePath.Split('/')[^1])
            .Order(StringComparer.Ordinal)
            .ToList();
        if (deaf.Count > 0)
            return $"no new connection was tried for {(now - connecting).TotalSeconds:0} s, and these queues are not read: {string.Join(", ", deaf)}";
        lock (unansweredGate)
        {
            return unansweredSince is { } since && now - since >= patience * 3
                ? $"the broker has confirmed nothing that was sent in the last {(now - since).TotalSeconds:0} s"
                : null;
        }
    }

    /// <summary>
    /// Why the connection should be made anew although it is alive, or null while there is no reason to. No queue of ours has a length at
    /// which it refuses: what refuses for long is a channel that looks for a queue's leader on a node that is gone, and a new one will not.
    /// </summary>
    /// <param name="patience">How long everything that is sent to one destination may be refused.</param>
    public string? ReasonToRenew(TimeSpan patience) =>
        refused.Where(destination => destination.Value.Last - destination.Value.First >= patience).Select(destination => destination.Key.AbsolutePath.Split('/')[^1]).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } refusing
            ? $"the broker has refused everything that was sent to {string.Join(", ", refusing)} for more than {patience.TotalSeconds:0} s"
            : null;

    // The bus's own endpoint, which nobody consumes from, is ready but never started, and says so once only; it fails like the others.
    Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready)
    {
        Seen();
        if (ready.IsStarted)
            endpoints[ready.InputAddress] = new(Reads: true, time.GetUtcNow());
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Stopping(ReceiveEndpointStopping stopping) => LostAsync(stopping.InputAddress);

    Task IReceiveEndpointObserver.Completed(ReceiveEndpointCompleted completed) => LostAsync(completed.InputAddress);

    Task IReceiveEndpointObserver.Faulted(ReceiveEndpointFaulted faulted) => LostAsync(faulted.InputAddress);

    Task ISendObserver.PreSend<T>(SendContext<T> context) => Sending();

    Task ISendObserver.PostSend<T>(SendContext<T> context) => Confirmed(context);

    Task ISendObserver.SendFault<T>(SendContext<T> context, Exception exception) => Failed(context, exception);

    // What is published is not told to those who observe what is sent.
    Task IPublishObserver.PrePublish<T>(PublishContext<T> context) => Sending();

    Task IPublishObserver.PostPublish<T>(PublishContext<T> context) => Confirmed(context);

    Task IPublishObserver.PublishFault<T>(PublishContext<T> context, Exception exception) => Failed(context, exception);

    Task IBusObserver.PostStart(IBus bus, Task<BusReady> busReady)
    {
        _ = busReady.ContinueWith(_ => hasStarted = true, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return Task.CompletedTask;
    }

    void IBusObserver.PostCreate(IBus bus)
    {
    }

    void IBusObserver.CreateFaulted(Exception exception)
    {
    }

    Task IBusObserver.PreStart(IBus bus) => Task.CompletedTask;

    Task IBusObserver.StartFaulted(IBus bus, Exception exception) => Task.CompletedTask;

    Task IBusObserver.PreStop(IBus bus) => Task.CompletedTask;

    Task IBusObserver.PostStop(IBus bus) => Task.CompletedTask;

    Task IBusObserver.StopFaulted(IBus bus, Exception exception) => Task.CompletedTask;

    Task Sending()
    {
        lock (unansweredGate)
            unansweredSince ??= time.GetUtcNow();
        return Task.CompletedTask;
    }

    Task Confirmed(SendContext context)
    {
        Answered();
        if (context.DestinationAddress is { } destination)
            refused.TryRemove(destination, out _);
        return Task.CompletedTask;
    }

    Task Failed(SendContext context, Exception exception)
    {
        // Refused or returned is an answer; given up is none.
        if (exception is not (OperationCanceledException or TimeoutException or ConnectionException))
            Answered();
        if (exception is BrokerRefusal { IsReturn: false } && context.DestinationAddress is { } destination)
            refused.AddOrUpdate(destination, _ => new(time.GetUtcNow(), time.GetUtcNow()), (_, known) => known with { Last = time.GetUtcNow() });
        return Task.CompletedTask;
    }

    void Answered()
    {
        lock (unansweredGate)
            unansweredSince = null;
    }

    void Seen() => Interlocked.Exchange(ref seenAt, time.GetUtcNow().UtcTicks);

    Task LostAsync(Uri queue)
    {
        Seen();
        // An endpoint that fails again and again does not read since the first time; one that never read waits for its start.
        if (endpoints.TryGetValue(queue, out var before) && before.Reads)
            endpoints.TryUpdate(queue, new(Reads: false, time.GetUtcNow()), before);
        return Task.CompletedTask;
    }
}
