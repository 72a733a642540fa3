namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// The official package's lock row of its bus outbox (table <c>OutboxState</c>). Kept so that either package runs on these tables;
/// here rows of <see cref="OutboxMessage"/> are claimed one by one and this table stays empty.
/// </summary>
public sealed class OutboxState
{
    /// <summary>Identity of the outbox.</summary>
    public Guid OutboxId { get; set; }

    /// <summary>Kept for the official package.</summary>
    public Guid LockId { get; set; }

    /// <summary>Kept for the official package.</summary>
    public byte[]? RowVersion { get; set; }

    /// <summary>When it was made (UTC).</summary>
    public DateTime Created { get; set; }

    /// <summary>When its last message was sent (UTC).</summary>
    public DateTime? Delivered { get; set; }

    /// <summary>Kept for the official package.</summary>
    public long? LastSequenceNumber { get; set; }
}
