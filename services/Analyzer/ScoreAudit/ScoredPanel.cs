using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>The newest scores of an audit with the answers they were computed over.</summary>
sealed record ScoredPanel(AuditScored Scored, IReadOnlyList<Guid> BatchIds, IReadOnlyList<PanelAnswer> Answers)
{
    /// <summary>Null for an audit that is not scored here.</summary>
    public static async Task<ScoredPanel?> ReadLatestAsync(AnalyzerDbContext db, Guid auditId, CancellationToken cancellationToken)
    {
        var score = await db.Scores.AsNoTracking().Where(x => x.AuditId == auditId)
            .OrderByDescending(x => x.Attempt).ThenByDescending(x => x.ScoredAt).FirstOrDefaultAsync(cancellationToken);
        if (score is null)
            return null;
        var batchIds = JsonColumn.Read<List<Guid>>(score.BatchIds, $"the batches of score {score.ScoreId}");
        return new(score.ToMessage(), batchIds, await PanelReader.ReadAsync(db, auditId, batchIds, cancellationToken));
    }
}
