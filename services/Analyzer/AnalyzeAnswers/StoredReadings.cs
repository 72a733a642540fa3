using Assay.Analyzer.Database;
using Assay.Analyzer.ReadAnswer;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>An answer whose reading is wanted.</summary>
/// <param name="CallKey">Its key.</param>
/// <param name="BatchId">The batch that brought the row's present outcome.</param>
/// <param name="Version">The row's version; 0 as it was first stored.</param>
readonly record struct ReadAnswerKey(string CallKey, Guid BatchId, int Version);

/// <summary>The readings of an audit's answers: what is remembered, and from their rows what is not.</summary>
static class StoredReadings
{
    /// <param name="db">Where the rows are.</param>
    /// <param name="memory">What is remembered; null where nothing can be, of an audit long ended.</param>
    /// <param name="auditId">The audit.</param>
    /// <param name="answers">Its answers, as their rows stand: a row that was written again is read anew.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<IReadOnlyDictionary<string, AnswerReading>> ReadAsync(AnalyzerDbContext db, ReadingMemory? memory, Guid auditId, IEnumerable<ReadAnswerKey> answers, CancellationToken cancellationToken)
    {
        var readings = new Dictionary<string, AnswerReading>(StringComparer.Ordinal);
        List<string> missing = [];
        foreach (var batch in answers.GroupBy(answer => answer.BatchId))
        {
            var remembered = memory?.Find(batch.Key);
            foreach (var (callKey, _, version) in batch)
            {
                if (version == 0 && remembered?.GetValueOrDefault(callKey) is { } reading)
                    readings.Add(callKey, reading);
                else
                    missing.Add(callKey);
            }
        }

        if (missing.Count == 0)
            return readings;
        var rows = await db.Answers.AsNoTracking().Where(x => x.AuditId == auditId && missing.Contains(x.CallKey) && x.Reading != null)
            .Select(x => new { x.CallKey, x.Reading }).ToArrayAsync(cancellationToken);
        foreach (var row in rows)
            readings.Add(row.CallKey, ReadingColumn.Read(row.Reading!, auditId, row.CallKey));
        return readings;
    }
}
