namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>One consumed message of one consumer (table <c>InboxState</c>): its row is committed together with the consumer's effects.</summary>
public sealed class InboxState
{
    /// <summary>Identity of the row.</summary>
    public long Id { get; set; }

    /// <summary>The message's id; unique together with <see cref="ConsumerId"/>.</summary>
    public Guid MessageId { get; set; }

    /// <summary>Derived from the endpoint and the consumer, so that two consumers of one message each consume it once.</summary>
    public Guid ConsumerId { get; set; }

    /// <summary>Kept for the official package; not read here.</summary>
    public Guid LockId { get; set; }

    /// <summary>Kept for the official package; not read here.</summary>
    public byte[]? RowVersion { get; set; }

    /// <summary>When the first delivery claimed the message (UTC, the database's clock).</summary>
    public DateTime Received { get; set; }

    /// <summary>Deliveries seen, duplicates included.</summary>
    public int ReceiveCount { get; set; }

    /// <summary>When the message itself expires, if it does (UTC).</summary>
    public DateTime? ExpirationTime { get; set; }

    /// <summary>When the consumer's transaction began (UTC); set in the same transaction as its effects.</summary>
    public DateTime? Consumed { get; set; }

    /// <summary>Equal to <see cref="Consumed"/>: from then on the rows of <see cref="OutboxMessage"/> answer for what it sent. The message is forgotten a duplicate window later (UTC).</summary>
    public DateTime? Delivered { get; set; }

    /// <summary>Kept for the official package; not read here.</summary>
    public long? LastSequenceNumber { get; set; }
}
