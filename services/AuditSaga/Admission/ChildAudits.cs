using Assay.Contracts;

namespace Assay.AuditSaga.Admission;

/// <summary>The audits of the competitors, which <c>auditCompetitors</c> asks for on completion.</summary>
static class ChildAudits
{
    /// <summary>One request for each competitor, under an id that follows from parent, brand and kind: sent twice it is one child. Children spawn none.</summary>
    public static IReadOnlyList<RequestAudit> Of(RequestAudit parent) =>
    [
        .. parent.Competitors
            .Select(competitor => (Competitor: competitor, Key: BrandKey.Of(competitor.Name, competitor.Domain)))
            .DistinctBy(child => child.Key, StringComparer.Ordinal)
            .Select(child => parent with
            {
                AuditId = IdOf(parent.AuditId, child.Key, AuditKinds.Competitor),
                Kind = AuditKinds.Competitor,
                Brand = new Brand { Name = child.Competitor.Name, Domain = child.Competitor.Domain, Aliases = child.Competitor.Aliases, Industry = parent.Brand.Industry },
                Competitors =
                [
                    new Competitor { Name = parent.Brand.Name, Domain = parent.Brand.Domain, Aliases = parent.Brand.Aliases },
                    .. parent.Competitors.Where(other => other != child.Competitor),
                ],
                ParentAuditId = parent.AuditId,
                TreeCeilingUsd = null,
                AuditCompetitors = false,
                Force = false,
            }),
    ];

    internal static Guid IdOf(Guid parent, string brandKey, string kind) => NameBasedId.Of(parent, $"{brandKey}\n{kind}");
}
