namespace Assay.Contracts.Internal.AuditSaga;

/// <summary>Something a person should hear of. The Dashboard delivers it to every webhook, once for each <see cref="AlertId"/>.</summary>
public sealed record AlertRaised
{
    /// <summary>The audit it is about; null if it is about none in particular.</summary>
    public required Guid? AuditId { get; init; }

    /// <summary>The attempt it is about; 0 without an audit.</summary>
    public required int Attempt { get; init; }

    /// <summary>Follows from what the alert is about: raised twice, by one instance or several, it is one alert.</summary>
    public required Guid AlertId { get; init; }

    /// <summary>One of <see cref="AlertKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>A reason or scope that narrows the kind: the failure reason, the refusal reason, the kind of difference.</summary>
    public required string Subject { get; init; }

    /// <summary>For a reader: what happened, why it matters, what to do.</summary>
    public required string Detail { get; init; }

    public required DateTime RaisedAt { get; init; }
}

/// <summary>Values of <see cref="AlertRaised.Kind"/>.</summary>
public static class AlertKinds
{
    /// <summary>An audit failed.</summary>
    public const string AuditFailed = "AuditFailed";

    /// <summary>An audit needs its third attempt or a later one.</summary>
    public const string ManyAttempts = "ManyAttempts";

    /// <summary>The deadline watch ended an audit that its own timers should have ended.</summary>
    public const string WatchRescue = "WatchRescue";

    /// <summary>A lineage grows unusually deep.</summary>
    public const string DeepLineage = "DeepLineage";

    /// <summary>Requests are refused for one reason more often than usual.</summary>
    public const string ManyRefusals = "ManyRefusals";

    /// <summary>An audit was billed more than was reserved for it.</summary>
    public const string Overrun = "Overrun";

    /// <summary>An audit has ended, but the gateway could not close its budget.</summary>
    public const string BudgetNotClosed = "BudgetNotClosed";

    /// <summary>Saga, ledger, analysis and read model disagree about audits.</summary>
    public const string IntegrityDifference = "IntegrityDifference";
}
