namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// A message that was committed and waits for its broker's confirm (table <c>OutboxMessage</c>). The official columns keep their
/// names; <see cref="NextTryAt"/>, <see cref="Tries"/>, <see cref="LastError"/> and <see cref="ParkedAt"/> are ours.
/// </summary>
public sealed class OutboxMessage
{
    /// <summary>Order of insertion, given by the database.</summary>
    public long SequenceNumber { get; set; }

    /// <summary>Not before (UTC); null for at once.</summary>
    public DateTime? EnqueueTime { get; set; }

    /// <summary>When the sender handed it over (UTC).</summary>
    public DateTime SentTime { get; set; }

    /// <summary>Message headers as a JSON object.</summary>
    public string? Headers { get; set; }

    /// <summary>Transport properties as a JSON object.</summary>
    public string? Properties { get; set; }

    /// <summary>The consumed message in whose transaction this one was written; null outside consumers.</summary>
    public Guid? InboxMessageId { get; set; }

    /// <summary>The consumer in whose transaction this one was written; null outside consumers.</summary>
    public Guid? InboxConsumerId { get; set; }

    /// <summary>Kept for the official package; null here.</summary>
    public Guid? OutboxId { get; set; }

    /// <summary>The message's id, the same on every try.</summary>
    public Guid MessageId { get; set; }

    /// <summary>For example <c>application/vnd.masstransit+json</c>.</summary>
    public string ContentType { get; set; } = "";

    /// <summary>Message type URNs, separated by semicolons.</summary>
    public string MessageType { get; set; } = "";

    /// <summary>The serialized envelope.</summary>
    public string Body { get; set; } = "";

    /// <summary>Conversation of the message.</summary>
    public Guid? ConversationId { get; set; }

    /// <summary>Correlation of the message.</summary>
    public Guid? CorrelationId { get; set; }

    /// <summary>The message's initiator.</summary>
    public Guid? InitiatorId { get; set; }

    /// <summary>Request the message belongs to.</summary>
    public Guid? RequestId { get; set; }

    /// <summary>Address of the sender.</summary>
    public Uri? SourceAddress { get; set; }

    /// <summary>Where it goes.</summary>
    public Uri? DestinationAddress { get; set; }

    /// <summary>Where responses go.</summary>
    public Uri? ResponseAddress { get; set; }

    /// <summary>Where faults go.</summary>
    public Uri? FaultAddress { get; set; }

    /// <summary>When the message expires, if it does (UTC).</summary>
    public DateTime? ExpirationTime { get; set; }

    /// <summary>The sweeper leaves the row alone until then (UTC, the database's clock): its writer is sending it, or it waits for its next try.</summary>
    public DateTime NextTryAt { get; set; }

    /// <summary>How often the sweeper has tried.</summary>
    public int Tries { get; set; }

    /// <summary>What the last try failed with; null before that.</summary>
    public string? LastError { get; set; }

    /// <summary>When it was given up (UTC); null while it is tried.</summary>
    public DateTime? ParkedAt { get; set; }

    /// <summary>What this process still holds of a message it captured itself; not a column.</summary>
    internal CapturedMessage? Captured { get; init; }
}
