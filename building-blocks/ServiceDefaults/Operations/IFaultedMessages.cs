namespace Assay.ServiceDefaults;

/// <summary>The error and dead-letter queues of the host's broker.</summary>
public interface IFaultedMessages
{
    /// <summary>Why this host has no such queues; null if it has.</summary>
    string? Unavailable { get; }

    /// <summary>Counts and shows what lies in the error queues of these endpoints and in the dead-letter queue. Nothing is taken out.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer.</exception>
    Task<IReadOnlyList<FaultedQueue>> LookAsync(IReadOnlyCollection<string> endpoints, CancellationToken cancellationToken);

    /// <summary>
    /// Sends messages to where they were for: each leaves its queue only after the broker has confirmed its copy. A stop half-way may
    /// send one twice, with the same id; none is lost. An expired request is never sent.
    /// </summary>
    /// <param name="queue">One queue of <see cref="LookAsync"/>.</param>
    /// <param name="which">Which of its messages.</param>
    /// <param name="cancellationToken">Stops between two messages.</param>
    /// <exception cref="BrokerUnavailableException">The broker does not answer, or takes no more; the message says how many were sent.</exception>
    Task<int> SendAgainAsync(string queue, Func<FaultedMessage, bool> which, CancellationToken cancellationToken);

    /// <summary>Removes the requests from the dead-letter queue that expired unread, and says how many there were.</summary>
    /// <exception cref="BrokerUnavailableException">The broker does not answer.</exception>
    Task<int> DropExpiredRequestsAsync(CancellationToken cancellationToken);
}

/// <summary>One error or dead-letter queue.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Count">How many messages lie in it.</param>
/// <param name="Messages">The oldest of them.</param>
public sealed record FaultedQueue(string Name, long Count, IReadOnlyList<FaultedMessage> Messages);

/// <summary>The broker did not do what was asked.</summary>
public sealed class BrokerUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>In memory there is nothing to look into.</summary>
sealed class InMemoryFaultedMessages : IFaultedMessages
{
    public string? Unavailable => "This host keeps its messages in memory: what fails on every try has failed its audit with its reason, and cannot be sent again.";

    public Task<IReadOnlyList<FaultedQueue>> LookAsync(IReadOnlyCollection<string> endpoints, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<FaultedQueue>>([]);

    public Task<int> SendAgainAsync(string queue, Func<FaultedMessage, bool> which, CancellationToken cancellationToken) => Task.FromResult(0);

    public Task<int> DropExpiredRequestsAsync(CancellationToken cancellationToken) => Task.FromResult(0);
}
