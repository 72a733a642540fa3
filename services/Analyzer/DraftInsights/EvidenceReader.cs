using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Database;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.ReadAnswer;
using Assay.Contracts.Internal.Analyzer;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.DraftInsights;

/// <summary>Loads what insights rest on: the scores they speak about and the valid answers those were computed over.</summary>
sealed class EvidenceReader(AnalyzerDbContext db, EvidenceMemory memory, ReadingMemory readings)
{
    const int BeginningLength = 280;

    /// <exception cref="InvalidOperationException">The audit or the score is not stored here.</exception>
    public async Task<Evidence> ReadAsync(Guid auditId, Guid scoreId, CancellationToken cancellationToken)
    {
        // Read each time, whatever is remembered: an audit that was erased has no evidence any more.
        var subject = await db.Subjects.FindAsync([auditId], cancellationToken)
            ?? throw new InvalidOperationException($"Cannot draft insights of audit {auditId}: its subject is not stored here. If the Analyzer's database was replaced, restore it and retry the audit.");
        if (memory.Find(scoreId) is { } known)
            return known;
        var evidence = await GatherAsync(subject, scoreId, cancellationToken);
        memory.Remember(scoreId, evidence);
        return evidence;
    }

    async Task<Evidence> GatherAsync(SubjectRow subject, Guid scoreId, CancellationToken cancellationToken)
    {
        var auditId = subject.AuditId;
        var score = await db.Scores.AsNoTracking().SingleOrDefaultAsync(x => x.ScoreId == scoreId && x.AuditId == auditId, cancellationToken)
            ?? throw new InvalidOperationException($"Cannot draft insights of audit {auditId}: score {scoreId} is not stored here. If the Analyzer's database was replaced, restore it and retry the audit.");
        var batchIds = JsonColumn.Read<List<Guid>>(score.BatchIds, $"the batches of score {scoreId}");
        var callKeys = (await db.AnalyzedBatches.AsNoTracking().Where(x => x.AuditId == auditId && batchIds.Contains(x.BatchId)).ToArrayAsync(cancellationToken))
            .SelectMany(batch => batch.ReadCallKeys()).ToHashSet(StringComparer.Ordinal);
        var stored = await db.Answers.AsNoTracking()
            .Where(x => x.AuditId == auditId && x.Outcome == AnswerOutcomes.Valid && x.Reading != null)
            .Select(x => new { x.CallKey, x.BatchId, x.Version, x.QueryId, x.Query, x.Category, x.Branded, x.Control, x.Engine, Beginning = x.Text!.Substring(0, BeginningLength) })
            .ToArrayAsync(cancellationToken);
        var rows = Array.FindAll(stored, row => callKeys.Contains(row.CallKey));
        var read = await StoredReadings.ReadAsync(db, readings, auditId, rows.Select(row => new ReadAnswerKey(row.CallKey, row.BatchId, row.Version)), cancellationToken);
        var request = subject.ReadRequest();
        return new(
            request.Brand.Name,
            [.. (request.Competitors ?? []).Select(competitor => competitor.Name)],
            request.Locale,
            score.ToMessage(),
            [.. rows.Select(row => Answer(row.CallKey, row.QueryId, row.Query, row.Category, row.Branded, row.Control, row.Engine, row.Beginning, read[row.CallKey]))]);
    }

    /// <summary>The available insights of the layers below, each layer from the newest attempt that drafted it.</summary>
    public async Task<IReadOnlyList<Insight>> ReadBelowAsync(Guid auditId, int attempt, int layer, CancellationToken cancellationToken)
    {
        if (layer <= 1)
            return [];
        var drafts = await db.Drafts.AsNoTracking().Where(x => x.AuditId == auditId && x.Attempt <= attempt && x.Layer < layer && x.DraftedAt != null)
            .Select(x => new { x.Layer, x.Attempt }).ToArrayAsync(cancellationToken);
        var newest = drafts.GroupBy(x => x.Layer).ToDictionary(group => group.Key, group => group.Max(x => x.Attempt));
        var rows = await db.Insights.AsNoTracking().Where(x => x.AuditId == auditId && x.Attempt <= attempt && x.Layer < layer && x.Available).ToArrayAsync(cancellationToken);
        return
        [
            .. rows.Where(row => newest.GetValueOrDefault(row.Layer) == row.Attempt)
                .OrderBy(row => row.InsightId, StringComparer.Ordinal).Select(row => row.ReadContent()),
        ];
    }

    static EvidenceAnswer Answer(string callKey, string queryId, string query, string category, bool branded, bool control, string engine, string beginning, AnswerReading reading)
    {
        var mentions = reading.Brands.Where(brand => brand.Mentioned)
            .OrderByDescending(brand => brand.IsOwn).ThenBy(brand => brand.Rank)
            .Select(brand => new EvidenceMention(brand.Brand, brand.Rank, brand.Sentiment, brand.Recommendation)).ToList();
        var first = reading.Mentions.FirstOrDefault(mention => mention.Brand == reading.Own.Brand) ?? reading.Mentions.FirstOrDefault();
        return new()
        {
            CallKey = callKey,
            QueryId = queryId,
            Query = query,
            Category = category,
            Branded = branded,
            Control = control,
            Engine = engine,
            Excerpt = first?.Context ?? beginning,
            MentionsBrand = reading.Own.Mentioned,
            Mentions = mentions,
            OtherBrands = reading.OtherBrands,
            Features = reading.Features,
            Domains = [.. reading.Citations.Select(citation => citation.Domain).OfType<string>().Distinct(StringComparer.Ordinal)],
            CitesOwned = reading.Citations.Any(citation => citation.Category == CitationCategory.Owned),
        };
    }
}
