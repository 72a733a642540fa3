using Assay.Contracts;

namespace Assay.AuditSaga.Admission;

/// <summary>An audit above another one: what is needed to recognise it again, even after its row was pruned.</summary>
public sealed record Ancestor(Guid AuditId, string BrandKey, string Kind);

/// <summary>An audit's place in its tree.</summary>
public sealed record Lineage(Guid TrackingId, IReadOnlyList<Ancestor> Ancestry)
{
    public int Depth => Ancestry.Count;
}

/// <summary>What the parent's row says.</summary>
public sealed record ParentFacts(Guid AuditId, string State, string BrandKey, string Kind, Guid TrackingId, IReadOnlyList<Ancestor> Ancestry);

/// <summary>Who may descend from whom. Lineage comes from the parent's row, never from the message.</summary>
public static class LineageRules
{
    /// <summary>Judges a request against the lineage it would join.</summary>
    /// <param name="auditId">The requested audit.</param>
    /// <param name="brandKey">Its brand.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="parentAuditId">The parent it names, if any.</param>
    /// <param name="parent">What the parent's row says; null if there is none.</param>
    /// <param name="failed">Ids among the ancestry (the parent included) that are Failed now.</param>
    /// <param name="maxDepth">The greatest depth allowed.</param>
    public static (Lineage? Lineage, Refusal? Refusal) Judge(
        Guid auditId, string brandKey, string kind, Guid? parentAuditId, ParentFacts? parent, IReadOnlySet<Guid> failed, int maxDepth)
    {
        if (parentAuditId is null)
            return (new(auditId, []), null);
        if (parent is null)
            return (null, new(RejectionReasons.InvalidRequest, $"parentAuditId: no audit {parentAuditId} is known. Use the id of an accepted audit, or leave it out for a root."));
        if (parent.State == AuditStates.Rejected)
            return (null, new(RejectionReasons.InvalidRequest, $"parentAuditId: audit {parent.AuditId} was itself rejected, so nothing can descend from it."));

        IReadOnlyList<Ancestor> ancestry = [.. parent.Ancestry, new(parent.AuditId, parent.BrandKey, parent.Kind)];
        if (ancestry.FirstOrDefault(a => a.AuditId == auditId || (a.BrandKey == brandKey && a.Kind == kind)) is { } same)
            return (null, new(RejectionReasons.CircularLineage, $"{brandKey} ({kind}) is already in this lineage as audit {same.AuditId}; auditing it again below itself would never end. The same brand under another kind is allowed.", same.AuditId));
        if (ancestry.Count > maxDepth)
            return (null, new(RejectionReasons.LineageTooDeep, $"The audit would be {ancestry.Count} deep below root {parent.TrackingId}; at most {maxDepth}. Start a new root without parentAuditId."));
        if (ancestry.LastOrDefault(a => a.Kind == kind && failed.Contains(a.AuditId)) is { } lost)
            return (null, new(RejectionReasons.AncestorFailed, $"Ancestor {lost.AuditId} ({lost.BrandKey}, {lost.Kind}) has failed; its descendants of the same kind would fail the same way. Retry it first.", lost.AuditId));
        return (new(parent.TrackingId, ancestry), null);
    }
}
