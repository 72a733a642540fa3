namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A message that is to be sent at a time (table <c>scheduled_message</c>). Scheduled and cancelled inside the transaction of whoever does it.</summary>
public sealed class ScheduledMessageRow
{
    /// <summary>The schedule's token; cancelling deletes the row.</summary>
    public Guid TokenId { get; set; }

    /// <summary>When it is due (UTC, the database's clock).</summary>
    public DateTime DueAt { get; set; }

    /// <summary>Where it goes.</summary>
    public string Destination { get; set; } = "";

    /// <summary>The message's id, the same on every try.</summary>
    public Guid MessageId { get; set; }

    /// <summary>The captured message: envelope, headers, properties, addresses, as a JSON object.</summary>
    public string Message { get; set; } = "";

    /// <summary>How often delivery was tried.</summary>
    public int Tries { get; set; }

    /// <summary>What the last try failed with; null before that.</summary>
    public string? LastError { get; set; }

    /// <summary>When it was given up (UTC); null while it is tried.</summary>
    public DateTime? ParkedAt { get; set; }
}
