using System.ComponentModel.DataAnnotations;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga;

/// <summary>How long audits may wait, how many may descend from one another, how often they may be tried (section <c>AuditSaga</c>).</summary>
public sealed class AuditSagaOptions : IValidatableObject
{
    /// <summary>An audit without progress or sign of life for this long has failed.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A complete result younger than this is pointed to instead of being paid for again; zero turns that off.</summary>
    public TimeSpan Freshness { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Questions in one batch for one engine.</summary>
    [Range(1, BatchBounds.MaxQuestions)]
    public int BatchSize { get; set; } = 45;

    /// <summary>Attempts of one audit, the first included.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>The greatest depth of an audit; a root has depth 0.</summary>
    [Range(0, 100)]
    public int MaxDepth { get; set; } = 10;

    /// <summary>Audits in one lineage tree, the root included.</summary>
    [Range(1, 10_000)]
    public int MaxTreeSize { get; set; } = 50;

    /// <summary>How often a day <c>force</c> may override a complete result, by brand and kind.</summary>
    [Range(0, 1000)]
    public int MaxForcedPerDay { get; set; } = 3;

    /// <summary>How often the watch looks for overdue audits.</summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after a limit the watch leaves an audit to its own timers.</summary>
    public TimeSpan WatchGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The least time between two <c>AuditProgressed</c> of one audit.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long an ended audit is kept; afterwards a tombstone keeps old messages from starting it again.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>The attempt from which a further one is worth an alert.</summary>
    [Range(2, 100)]
    public int AlertFromAttempt { get; set; } = 3;

    /// <summary>The depth above which a new audit is worth an alert.</summary>
    [Range(0, 100)]
    public int AlertAboveDepth { get; set; } = 8;

    /// <summary>The refusals for one reason in one <see cref="RefusalWindow"/>, by instance, above which there is an alert.</summary>
    [Range(1, 1_000_000)]
    public int AlertAboveRefusals { get; set; } = 20;

    /// <summary>The time in which refusals are counted.</summary>
    public TimeSpan RefusalWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How often saga, ledger, analysis and read model are compared, by one of the instances.</summary>
    public TimeSpan IntegrityInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long after its start an instance leaves them alone.</summary>
    public TimeSpan IntegrityDelay { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long ago an audit must have ended to be compared: until then messages are on the way.</summary>
    public TimeSpan IntegritySettle { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>For a host whose messages do not outlive it: fails whatever the previous process left unfinished before the bus starts.</summary>
    public bool FailUnfinishedAtStart { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (StallTimeout <= TimeSpan.Zero)
            yield return new($"AuditSaga__StallTimeout is {StallTimeout}; it must be above zero, for example 00:05:00.", [nameof(StallTimeout)]);
        if (Freshness < TimeSpan.Zero)
            yield return new($"AuditSaga__Freshness is {Freshness}; use 00:00:00 to turn it off or a positive time span.", [nameof(Freshness)]);
        if (WatchInterval <= TimeSpan.Zero || WatchInterval > TimeSpan.FromSeconds(30))
            yield return new($"AuditSaga__WatchInterval is {WatchInterval}; use more than zero and at most 00:00:30, or an overdue audit could outlive its minute.", [nameof(WatchInterval)]);
        if (WatchGrace < TimeSpan.Zero || WatchGrace > TimeSpan.FromSeconds(30))
            yield return new($"AuditSaga__WatchGrace is {WatchGrace}; use zero to 00:00:30, or an overdue audit could outlive its minute.", [nameof(WatchGrace)]);
        if (Retention < Freshness || Retention < TimeSpan.FromDays(1))
            yield return new($"AuditSaga__Retention is {Retention}; it must be at least a day and not below AuditSaga__Freshness.", [nameof(Retention)]);
        if (IntegrityInterval < TimeSpan.FromMinutes(1))
            yield return new($"AuditSaga__IntegrityInterval is {IntegrityInterval}; use at least 00:01:00.", [nameof(IntegrityInterval)]);
        if (IntegrityDelay < TimeSpan.Zero || IntegritySettle < TimeSpan.Zero)
            yield return new($"AuditSaga__IntegrityDelay is {IntegrityDelay}, AuditSaga__IntegritySettle {IntegritySettle}; neither may be negative.", [nameof(IntegrityDelay), nameof(IntegritySettle)]);
        if (RefusalWindow <= TimeSpan.Zero)
            yield return new($"AuditSaga__RefusalWindow is {RefusalWindow}; it must be above zero, for example 00:10:00.", [nameof(RefusalWindow)]);
        if (ProgressInterval < TimeSpan.Zero)
            yield return new($"AuditSaga__ProgressInterval is {ProgressInterval}; it must not be negative.", [nameof(ProgressInterval)]);
    }
}
