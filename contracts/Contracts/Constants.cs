namespace Assay.Contracts;

/// <summary>Values of <see cref="RequestAudit.Kind"/>.</summary>
public static class AuditKinds
{
    /// <summary>A brand's own visibility.</summary>
    public const string Brand = "brand";

    /// <summary>A competitor's visibility; also the kind of child audits.</summary>
    public const string Competitor = "competitor";

    /// <summary>One product's visibility.</summary>
    public const string Product = "product";
}

/// <summary>Values of <see cref="RequestAudit.InDoubt"/>.</summary>
public static class InDoubtPolicies
{
    /// <summary>The gap is kept and itemised; nothing is asked again.</summary>
    public const string Keep = "keep";

    /// <summary>One further paid try per call and attempt is permitted.</summary>
    public const string AskAgain = "askAgain";
}

/// <summary>States of an audit, in order of life.</summary>
public static class AuditStates
{
    /// <summary>Guards and budget are being judged.</summary>
    public const string Admitting = "Admitting";

    /// <summary>The panel of queries is being planned.</summary>
    public const string Planning = "Planning";

    /// <summary>Engines are being asked and their answers read.</summary>
    public const string Asking = "Asking";

    /// <summary>Scores are being computed.</summary>
    public const string Scoring = "Scoring";

    /// <summary>Insights are being drafted.</summary>
    public const string Advising = "Advising";

    /// <summary>The report is being assembled.</summary>
    public const string Publishing = "Publishing";

    /// <summary>Ended with a complete report.</summary>
    public const string Completed = "Completed";

    /// <summary>Ended with a reason; see <see cref="FailureReasons"/>.</summary>
    public const string Failed = "Failed";

    /// <summary>Ended by a person or producer.</summary>
    public const string Cancelled = "Cancelled";

    /// <summary>Refused at admission; see <see cref="RejectionReasons"/>.</summary>
    public const string Rejected = "Rejected";
}

/// <summary>Why a request was refused (<see cref="AuditRejected.Reason"/>).</summary>
public static class RejectionReasons
{
    /// <summary>The same (brand, kind) is already in the ancestry.</summary>
    public const string CircularLineage = "CircularLineage";

    /// <summary>The lineage would be more than 10 deep.</summary>
    public const string LineageTooDeep = "LineageTooDeep";

    /// <summary>The lineage tree already holds 50 audits.</summary>
    public const string LineageTooLarge = "LineageTooLarge";

    /// <summary>An ancestor of the same kind has failed.</summary>
    public const string AncestorFailed = "AncestorFailed";

    /// <summary>The same brand, kind and panel is being audited now.</summary>
    public const string AlreadyRunning = "AlreadyRunning";

    /// <summary>A complete result of the same content exists; see <see cref="AuditRejected.ExistingAuditId"/>.</summary>
    public const string AlreadyCompleted = "AlreadyCompleted";

    /// <summary>Force was used too often, or inside one tracking id.</summary>
    public const string ForceLimit = "ForceLimit";

    /// <summary>The request itself is not valid; the detail names each field.</summary>
    public const string InvalidRequest = "InvalidRequest";

    /// <summary>The audit id was used before with other content.</summary>
    public const string AuditIdReused = "AuditIdReused";

    /// <summary>An engine of the request is not configured.</summary>
    public const string UnknownEngine = "UnknownEngine";

    /// <summary>Not even one call fits under the ceiling.</summary>
    public const string CeilingTooLow = "CeilingTooLow";

    /// <summary>What is already spent by tree or day leaves no room.</summary>
    public const string CeilingReached = "CeilingReached";

    /// <summary>Spending is halted by an operator or guard.</summary>
    public const string SpendingHalted = "SpendingHalted";

    /// <summary>The audit has used all its attempts.</summary>
    public const string AttemptsExhausted = "AttemptsExhausted";

    /// <summary>A pinned engine of the first attempt is configured differently now.</summary>
    public const string EngineChanged = "EngineChanged";

    /// <summary>The retry does not fit the audit's present state or attempt.</summary>
    public const string NotRetryable = "NotRetryable";
}

/// <summary>Why an audit failed (<see cref="AuditFailed.Reason"/>).</summary>
public static class FailureReasons
{
    /// <summary>No progress and no sign of life for the phase's stall timeout.</summary>
    public const string Stalled = "Stalled";

    /// <summary>The audit's deadline passed before it ended.</summary>
    public const string DeadlinePassed = "DeadlinePassed";

    /// <summary>A service gave up on a command of this audit after all its redeliveries.</summary>
    public const string Fault = "Fault";

    /// <summary>Too few valid answers; the detail holds the numbers.</summary>
    public const string InsufficientCoverage = "InsufficientCoverage";

    /// <summary>The process that ran the embedded audit ended; what was paid is kept.</summary>
    public const string HostRestarted = "HostRestarted";

    /// <summary>The ledger's database was restored to an earlier point; it has forgotten payments, so that unfinished audits were failed.</summary>
    public const string LedgerRestored = "LedgerRestored";

    /// <summary>The audit's row could not be read; the watch ended it by the emergency statement.</summary>
    public const string EmergencyRecovery = "EmergencyRecovery";

    /// <summary>The retry was refused by the gateway; the detail holds its reason.</summary>
    public const string BudgetRefused = "BudgetRefused";

    /// <summary>No usable panel of queries could be planned.</summary>
    public const string PlanFailed = "PlanFailed";
}
