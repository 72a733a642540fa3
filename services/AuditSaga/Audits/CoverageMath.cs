using Assay.Contracts.Internal.Analyzer;

namespace Assay.AuditSaga.Audits;

static class CoverageMath
{
    public static CoverageCounts None { get; } = new() { Planned = 0, Valid = 0, Declined = 0, Refused = 0, Empty = 0, InDoubt = 0, Reused = 0 };

    public static CoverageCounts Plus(this CoverageCounts a, CoverageCounts b) => new()
    {
        Planned = a.Planned + b.Planned,
        Valid = a.Valid + b.Valid,
        Declined = a.Declined + b.Declined,
        Refused = a.Refused + b.Refused,
        Empty = a.Empty + b.Empty,
        InDoubt = a.InDoubt + b.InDoubt,
        Reused = a.Reused + b.Reused,
        Reasons = a.Reasons.Concat(b.Reasons)
            .GroupBy(reason => reason.Key, StringComparer.Ordinal)
            .ToDictionary(reason => reason.Key, reason => reason.Sum(r => r.Value), StringComparer.Ordinal),
    };
}
