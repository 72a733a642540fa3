using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;

namespace Assay.AuditSaga.Admission;

/// <summary>Why a request or a retry is refused.</summary>
/// <param name="Reason">One of <see cref="RejectionReasons"/>.</param>
/// <param name="Detail">The same for a reader: what, why, what to do.</param>
/// <param name="ExistingAuditId">The audit that stands in the way or already has the result.</param>
public sealed record Refusal(string Reason, string Detail, Guid? ExistingAuditId = null)
{
    public static Refusal InvalidRequest(IEnumerable<RequestProblem> problems) =>
        new(RejectionReasons.InvalidRequest, string.Join("; ", problems));

    public static Refusal AuditIdReused(Guid auditId, string state) =>
        new(RejectionReasons.AuditIdReused, $"Audit {auditId} exists ({state}) with other content. Send the corrected request under a new auditId; the existing audit is untouched.");

    public static Refusal Pruned(Guid auditId, string state, DateTime endedAt) =>
        new(RejectionReasons.AuditIdReused, $"Audit {auditId} ended {state} at {endedAt:yyyy-MM-dd} and its record was pruned since. Send the request under a new auditId.");

    public static Refusal AlreadyRunning(string brandKey, string kind, Guid? holder) =>
        new(RejectionReasons.AlreadyRunning, $"The same panel for {brandKey} ({kind}) is being audited now{(holder is { } id ? $" as audit {id}" : "")}. Wait for it, or cancel it first.", holder);

    public static Refusal AlreadyCompleted(Guid existing, DateTime completedAt) =>
        new(RejectionReasons.AlreadyCompleted, $"Audit {existing} of the same content completed at {completedAt:yyyy-MM-dd HH:mm:ss}Z; nothing was spent. Use its report, or send force: true to pay for a new one.", existing);

    public static Refusal ForceInsideTree(Guid existing, Guid trackingId) =>
        new(RejectionReasons.ForceLimit, $"Audit {existing} of the same lineage {trackingId} already has this result; force never repeats work inside one lineage. Use its report.", existing);

    public static Refusal ForceUsedUp(string brandKey, string kind, int limit, DateOnly day, Guid existing) =>
        new(RejectionReasons.ForceLimit, $"force was used {limit} times on {day:yyyy-MM-dd} (UTC) for {brandKey} ({kind}), which is the limit. Use the report of audit {existing}, or wait for the next day.", existing);
}
