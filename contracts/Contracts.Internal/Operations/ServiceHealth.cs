namespace Assay.Contracts.Internal.Operations;

/// <summary>Asks one service how its outbox and scheduler are; every service hears it, the named one answers by <see cref="ServiceHealth"/>.</summary>
public sealed record GetServiceHealth
{
    /// <summary>The module's name, for example <c>AuditSaga</c>.</summary>
    public required string Service { get; init; }
}

/// <summary>A service's outbox and scheduler, as its database holds them now.</summary>
public sealed record ServiceHealth
{
    public required string Service { get; init; }

    /// <summary>The instance that answered.</summary>
    public required string Worker { get; init; }

    /// <summary>Messages not yet confirmed by the broker.</summary>
    public required long OutboxPending { get; init; }

    public required double OldestPendingSeconds { get; init; }

    /// <summary>Messages and schedules that were given up.</summary>
    public required long Parked { get; init; }

    /// <summary>Messages that wait for their time.</summary>
    public required long Scheduled { get; init; }

    /// <summary>By how much the scheduler is behind; 0 while nothing is overdue.</summary>
    public required double ScheduleOverdueSeconds { get; init; }

    /// <summary>The oldest of the parked ones.</summary>
    public required IReadOnlyList<ParkedMessageInfo> ParkedMessages { get; init; }

    /// <summary>The oldest of those that were tried in vain and are tried again: why an outbox is behind.</summary>
    public IReadOnlyList<FailingMessageInfo> FailingMessages { get; init; } = [];

    /// <summary>The queues this host reads.</summary>
    public required IReadOnlyList<string> Queues { get; init; }
}

/// <summary>A message that could not be sent and is not tried any more.</summary>
public sealed record ParkedMessageInfo
{
    public required Guid MessageId { get; init; }
    public required string MessageType { get; init; }
    public string? Destination { get; init; }
    public required int Tries { get; init; }
    public string? LastError { get; init; }
    public required DateTime ParkedAt { get; init; }
}

/// <summary>A message that could not be sent yet and is tried again.</summary>
public sealed record FailingMessageInfo
{
    public required Guid MessageId { get; init; }
    public required string MessageType { get; init; }

    /// <summary>Tries that count: those while the broker was away do not.</summary>
    public required int Tries { get; init; }

    public required string LastError { get; init; }
    public required DateTime StoredAt { get; init; }
}

/// <summary>Gives one service's parked messages all their tries again; answered by <see cref="ParkedReleased"/>.</summary>
public sealed record ReleaseParked
{
    public required string Service { get; init; }

    /// <summary>One message; null for all of them.</summary>
    public Guid? MessageId { get; init; }

    public required string RequestedBy { get; init; }
}

/// <summary>So many messages are tried again.</summary>
public sealed record ParkedReleased
{
    public required string Service { get; init; }
    public required int Released { get; init; }
}
