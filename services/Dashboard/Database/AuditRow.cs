using Assay.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Dashboard.Database;

/// <summary>
/// One audit as the read model knows it. Each group of columns has its own order, so that duplicates and late messages change nothing.
/// A record, so that the copy from before tells whether messages changed anything.
/// </summary>
sealed record AuditRow
{
    public Guid AuditId { get; set; }
    public string Status { get; set; } = ReadStates.Requested;

    /// <summary>The highest attempt seen in any message.</summary>
    public int Attempt { get; set; }

    public DateTime CreatedAt { get; set; }

    // The request: kept from the highest attempt, the latest registration.
    public int RequestAttempt { get; set; }
    public string? RequestJson { get; set; }
    public string? Brand { get; set; }
    public string? Kind { get; set; }

    /// <summary>Brand, domain, kind and id in lower case, for search.</summary>
    public string SearchText { get; set; } = "";

    public Guid? TrackingId { get; set; }
    public Guid? ParentAuditId { get; set; }
    public string? AncestryJson { get; set; }
    public int Depth { get; set; }
    public long CeilingMicroUsd { get; set; }
    public DateTime? RegisteredAt { get; set; }
    public DateTime? DeadlineAt { get; set; }
    public string? RequestedBy { get; set; }

    // Admission.
    public int AcceptedAttempt { get; set; }
    public int PlannedCalls { get; set; }
    public long WorstCaseMicroUsd { get; set; }
    public DateTime? AcceptedAt { get; set; }
    public string? RejectionReason { get; set; }
    public string? RejectionDetail { get; set; }
    public Guid? RejectionExistingAuditId { get; set; }
    public DateTime? RejectedAt { get; set; }

    /// <summary>Grows with every answer to a command (accepted, rejected, ended): what a waiting request looks at.</summary>
    public int Decisions { get; set; }

    // State: transitions by their sequence; an attempt that has ended stays ended.
    public int StateSequence { get; set; }
    public int EndedAttempt { get; set; }
    public DateTime? EndedAt { get; set; }
    public string? FailureReason { get; set; }
    public string? FailureDetail { get; set; }
    public string? EndedPhase { get; set; }

    // Progress: by attempt, then by the time of the last sign of life.
    public int ProgressAttempt { get; set; }
    public DateTime? ProgressAt { get; set; }
    public string? Phase { get; set; }
    public int CompletedCalls { get; set; }
    public double Fraction { get; set; }
    public DateTime? LastProgressAt { get; set; }
    public DateTime? LastHeartbeatAt { get; set; }
    public string? WaitingFor { get; set; }
    public DateTime? WaitingUntil { get; set; }
    public string? Worker { get; set; }

    // Money: the ledger's report with the highest version; until then what progress says.
    public long BudgetVersion { get; set; }
    public long ReservedMicroUsd { get; set; }
    public long SpentMicroUsd { get; set; }
    public long InDoubtMicroUsd { get; set; }
    public long OverrunMicroUsd { get; set; }
    public int Calls { get; set; }
    public int PaidTries { get; set; }
    public int InDoubt { get; set; }
    public int Reused { get; set; }

    /// <summary>The ledger's last word about an ended attempt; it stays while a retry has not been reported on yet.</summary>
    public bool BudgetFinal { get; set; }

    // Result.
    public Guid? ScoreId { get; set; }
    public int ScoreAttempt { get; set; }
    public string? MetricsVersion { get; set; }
    public string? ScoresJson { get; set; }
    public string? CoverageJson { get; set; }
    public double? Visibility { get; set; }
    public double? VisibilityLow { get; set; }
    public double? VisibilityHigh { get; set; }
    public double? Overall { get; set; }
    public bool Simulated { get; set; }

    /// <summary>The highest attempt whose manifest is complete here.</summary>
    public int ReportAttempt { get; set; }

    /// <summary>Grows with every change: ETag and live updates go by it.</summary>
    public int Version { get; set; }

    public DateTime UpdatedAt { get; set; }

    public bool IsLive => ReadStates.IsLive(Status);

    /// <summary>Whether the money shown will not change any more.</summary>
    public bool IsSettled => BudgetFinal && !IsLive;

    internal sealed class Map : IEntityTypeConfiguration<AuditRow>
    {
        public void Configure(EntityTypeBuilder<AuditRow> builder)
        {
            builder.ToTable("audit", table =>
            {
                table.HasCheckConstraint("ck_audit_failed_has_reason", "status <> 'Failed' OR failure_reason IS NOT NULL");
                table.HasCheckConstraint("ck_audit_ended_has_time", "status NOT IN ('Completed', 'Failed', 'Cancelled') OR ended_at IS NOT NULL");
            });
            builder.HasKey(audit => audit.AuditId);
            builder.Property(audit => audit.AuditId).ValueGeneratedNever();
            builder.Ignore(audit => audit.IsLive);
            builder.Ignore(audit => audit.IsSettled);
            // The row is locked before it is read (LockAuditAsync), so no concurrency token is needed.
            builder.HasIndex(audit => new { audit.CreatedAt, audit.AuditId });
            builder.HasIndex(audit => new { audit.Status, audit.CreatedAt });
            builder.HasIndex(audit => new { audit.Brand, audit.CreatedAt });
            builder.HasIndex(audit => audit.TrackingId);
            builder.HasIndex(audit => audit.UpdatedAt);
        }
    }
}

/// <summary>The states a reader sees: those of <see cref="AuditStates"/>, and one before the saga has seen the request.</summary>
static class ReadStates
{
    /// <summary>Sent by this Dashboard; the saga has not answered yet.</summary>
    public const string Requested = "Requested";

    static readonly string[] Order =
    [
        Requested, AuditStates.Rejected, AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing,
    ];

    public static readonly string[] Live =
    [
        Requested, AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing,
    ];

    /// <summary>The states in which an attempt has ended and a report can be final.</summary>
    public static readonly string[] Ended = [AuditStates.Completed, AuditStates.Failed, AuditStates.Cancelled];

    public static readonly string[] All = [.. Live, .. Ended, AuditStates.Rejected];

    public static readonly string[] Phases = [AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing];

    public static bool IsLive(string state) => Live.Contains(state, StringComparer.Ordinal);

    public static bool IsEnded(string state) => Ended.Contains(state, StringComparer.Ordinal);

    public static bool IsOver(string state) => IsEnded(state) || state == AuditStates.Rejected;

    /// <summary>Position in an audit's life; −1 for what is not a live state.</summary>
    public static int OrderOf(string state) => Array.IndexOf(Order, state);
}
