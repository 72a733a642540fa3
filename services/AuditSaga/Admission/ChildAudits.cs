using System.Security.Cryptography;
using System.Text;
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

    /// <summary>UUID version 5 (RFC 9562) in the parent's namespace.</summary>
    internal static Guid IdOf(Guid parent, string brandKey, string kind)
    {
        var name = Encoding.UTF8.GetBytes($"{brandKey}\n{kind}");
        var input = new byte[16 + name.Length];
        parent.TryWriteBytes(input, bigEndian: true, out _);
        name.CopyTo(input, 16);
        var id = SHA1.HashData(input).AsSpan(0, 16);
        id[6] = (byte)((id[6] & 0x0F) | 0x50);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id, bigEndian: true);
    }
}
