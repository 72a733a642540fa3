using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Database;

namespace Assay.Dashboard.Reports;

/// <summary>Reads the JSON columns of an audit's row.</summary>
static class AuditJson
{
    public static RequestAudit? Request(AuditRow row) => Read<RequestAudit>(row.RequestJson);

    public static IReadOnlyList<Guid> Ancestry(AuditRow row) => Read<List<Guid>>(row.AncestryJson) ?? [];

    public static IReadOnlyDictionary<string, ScoreValue>? Scores(AuditRow row) => Read<Dictionary<string, ScoreValue>>(row.ScoresJson);

    public static CoverageCounts? Coverage(AuditRow row) => Read<CoverageCounts>(row.CoverageJson);

    public static T? Read<T>(string? json) where T : class => json is null ? null : JsonSerializer.Deserialize<T>(json, AssayJson.Options);
}
