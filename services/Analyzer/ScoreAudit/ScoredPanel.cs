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
        return new(score.ToMessage(), batchIds, await PanelReader.ReadAsync(db, readings: null, auditId, batchIds, cancellationToken));
    }

    /// <summary>
    /// What was answered of an audit that never came to be scored, scored now; null without a valid answer. Never stored: a late answer
    /// may still join it, and an attempt's own scores are made by its own command.
    /// </summary>
    public static async Task<ScoredPanel?> ReadPartialAsync(AnalyzerDbContext db, Guid auditId, DateTime now, CancellationToken cancellationToken)
    {
        var batches = await db.AnalyzedBatches.AsNoTracking().Where(x => x.AuditId == auditId).Select(x => new { x.BatchId, x.Attempt }).ToArrayAsync(cancellationToken);
        if (batches.Length == 0)
            return null;
        List<Guid> batchIds = [.. batches.Select(batch => batch.BatchId)];
        var answers = await PanelReader.ReadAsync(db, readings: null, auditId, batchIds, cancellationToken);
        return answers.Any(answer => answer.Scored.IsValid)
            ? new(ScoreCalculation.Calculate(auditId, batches.Max(batch => batch.Attempt), Guid.Empty, answers, now), batchIds, answers)
            : null;
    }
}
