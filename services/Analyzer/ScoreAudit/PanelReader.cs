using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Database;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.Score.Metrics;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>Loads the calls of some batches, without their texts.</summary>
static class PanelReader
{
    /// <param name="db">Where they are stored.</param>
    /// <param name="readings">The readings that are remembered; null for an audit long ended.</param>
    /// <param name="auditId">The audit.</param>
    /// <param name="batchIds">Its batches.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidOperationException">A batch is not analysed, or the audit is not known here.</exception>
    public static async Task<IReadOnlyList<PanelAnswer>> ReadAsync(AnalyzerDbContext db, ReadingMemory? readings, Guid auditId, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken)
    {
        var subject = await db.Subjects.FindAsync([auditId], cancellationToken)
            ?? throw new InvalidOperationException($"Cannot score audit {auditId}: its subject is not stored here. If the Analyzer's database was replaced, restore it and retry the audit.");
        var batches = await db.AnalyzedBatches.AsNoTracking().Where(x => x.AuditId == auditId && batchIds.Contains(x.BatchId)).ToArrayAsync(cancellationToken);
        if (batches.Length < batchIds.Distinct().Count())
            throw new InvalidOperationException($"Cannot score audit {auditId}: batch {batchIds.First(id => !batches.Any(batch => batch.BatchId == id))} is not analysed. Retry the audit; paid answers are reused.");

        var callKeys = batches.SelectMany(batch => batch.ReadCallKeys()).ToHashSet(StringComparer.Ordinal);
        var stored = await db.Answers.AsNoTracking().Where(x => x.AuditId == auditId)
            .Select(x => new { x.CallKey, x.BatchId, x.Version, x.QueryId, x.Query, x.Category, x.Branded, x.Control, x.Engine, x.RequestedModel, x.Simulated, x.Run, x.Outcome, x.Reason, x.Reused, x.SearchUsed, x.FictitiousMentioned })
            .ToArrayAsync(cancellationToken);
        var rows = Array.FindAll(stored, row => callKeys.Contains(row.CallKey));
        var read = await StoredReadings.ReadAsync(db, readings, auditId, rows.Where(row => row.Outcome == AnswerOutcomes.Valid).Select(row => new ReadAnswerKey(row.CallKey, row.BatchId, row.Version)), cancellationToken);
        var absent = TrackedBrands.Of(subject.ReadRequest()).Lexicon.Brands.Select(brand => new ScoredBrand { Brand = brand.Name }).ToList();
        return
        [
            .. from row in rows
               let reading = row.Outcome == AnswerOutcomes.Valid ? read.GetValueOrDefault(row.CallKey) : null
               select new PanelAnswer
               {
                   QueryId = row.QueryId,
                   Engine = row.Engine,
                   Model = row.RequestedModel,
                   Simulated = row.Simulated,
                   Outcome = row.Outcome,
                   Reason = row.Reason,
                   Reused = row.Reused,
                   Scored = reading is not null
                       ? ScoredAnswer.From(
                           reading, row.Query, row.Engine, row.Run, row.Branded, row.Category,
                           searchOn: row.SearchUsed ?? false, isControl: row.Control, fictitiousMentioned: row.FictitiousMentioned)
                       : new ScoredAnswer { Query = row.Query, Category = row.Category, IsBranded = row.Branded, IsControl = row.Control, Engine = row.Engine, Run = row.Run, IsValid = false, Brands = absent },
               },
        ];
    }
}
