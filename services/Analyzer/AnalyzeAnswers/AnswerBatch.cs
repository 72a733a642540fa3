using Assay.Analyzer.Database;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.ReadAnswer;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>What a batch of panel answers publishes.</summary>
/// <param name="Analyzed">Its counts.</param>
/// <param name="Described">Its answers as the read model shows them.</param>
/// <param name="Stored">That their texts are here.</param>
/// <param name="Readings">What was read from the answers whose rows it brought, by call key; none for a batch that was known.</param>
sealed record AnalyzedBatch(AnswersAnalyzed Analyzed, AnswersDescribed Described, AnswersStored Stored, IReadOnlyDictionary<string, AnswerReading> Readings);

/// <summary>
/// Stores and reads a batch of panel answers. A batch that is known is described again from its rows; an answer that a newer
/// attempt brought is not overwritten by an older one that arrives late.
/// </summary>
static class AnswerBatch
{
    /// <param name="read">What was read before the transaction began; what is not in it is read here.</param>
    public static async Task<AnalyzedBatch> AnalyzeAsync(AnalyzerDbContext db, EngineAnswered message, AnswersRead? read, DateTime now, CancellationToken cancellationToken)
    {
        var keys = message.Answers.Select(answer => answer.CallKey).Distinct(StringComparer.Ordinal).ToList();
        var stored = await db.Answers
            .Where(x => x.AuditId == message.AuditId && keys.Contains(x.CallKey))
            .ToDictionaryAsync(x => x.CallKey, StringComparer.Ordinal, cancellationToken);
        if (await db.AnalyzedBatches.FindAsync([message.BatchId], cancellationToken) is { } known)
            return Published(known, known.ReadCallKeys().Where(stored.ContainsKey).Select(key => AnswerDescription.Of(stored[key])));

        var reader = await ReaderAsync(db, message, read, cancellationToken);
        List<AnswerRow> added = [];
        var taken = new List<AnswerRow>(message.Answers.Count);
        var described = new List<DescribedAnswer>(message.Answers.Count);
        var readings = new Dictionary<string, AnswerReading>(StringComparer.Ordinal);
        foreach (var answer in message.Answers.DistinctBy(answer => answer.CallKey, StringComparer.Ordinal))
        {
            var query = reader.QueryOf(answer);
            var row = stored.GetValueOrDefault(answer.CallKey);
            var intake = read?.ByCallKey.GetValueOrDefault(answer.CallKey) ?? reader.Take(answer, row?.Text, row?.TextHash);
            var fresh = Row(message, answer, query, intake, now);
            fresh.FictitiousMentioned = reader.NamesFictitious(answer, query, intake);
            taken.Add(fresh);
            described.Add(AnswerDescription.Of(fresh, intake.Reading));
            if (row is null)
            {
                added.Add(fresh);
                if (intake.Reading is { } reading)
                    readings.Add(answer.CallKey, reading);
            }
            else if (row.Attempt <= message.Attempt)
                Renew(row, fresh);
        }

        var coverage = Count(taken);
        var batch = new AnalyzedBatchRow
        {
            BatchId = message.BatchId,
            AuditId = message.AuditId,
            Attempt = message.Attempt,
            Engine = message.Engine,
            EngineKind = message.EngineKind,
            Simulated = message.Simulated,
            CallKeys = JsonColumn.Write(taken.Select(row => row.CallKey)),
            Coverage = JsonColumn.Write(coverage),
            SpentMicroUsd = taken.Where(row => !row.Reused).Sum(row => row.CostMicroUsd),
            AnalyzedAt = now,
        };
        db.AnalyzedBatches.Add(batch);
        // Past the change tracker, which takes as long for these rows as reading their texts took.
        var writes = new RowWrites(db);
        writes.Insert(added);
        await writes.RunAsync(cancellationToken);
        return Published(batch, described) with { Readings = readings };
    }

    /// <summary>Every planned call is counted once: <c>Planned = Valid + Declined + Refused + Empty + InDoubt</c>.</summary>
    internal static CoverageCounts Count(IReadOnlyCollection<AnswerRow> answers) => new()
    {
        Planned = answers.Count,
        Valid = answers.Count(x => x.Outcome == AnswerOutcomes.Valid),
        Declined = answers.Count(x => x.Outcome == AnswerOutcomes.Declined),
        Refused = answers.Count(x => x.Outcome == AnswerOutcomes.Refused),
        Empty = answers.Count(x => x.Outcome == AnswerOutcomes.Empty),
        InDoubt = answers.Count(x => x.Outcome == AnswerOutcomes.InDoubt),
        Reused = answers.Count(x => x.Outcome == AnswerOutcomes.Valid && x.Reused),
        Reasons = answers.Where(x => x.Reason is not null).GroupBy(x => x.Reason!, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal),
    };

    static async Task<BatchReader> ReaderAsync(AnalyzerDbContext db, EngineAnswered message, AnswersRead? read, CancellationToken cancellationToken)
    {
        // An audit may have been erased since its texts were read.
        if (read is not null && await db.Plans.AnyAsync(x => x.PlanId == read.Reader.PlanId && x.AuditId == message.AuditId, cancellationToken))
            return read.Reader;
        var subject = await db.Subjects.FindAsync([message.AuditId], cancellationToken);
        var plan = await db.Plans.FindAsync([message.AuditId], cancellationToken);
        return subject is not null && plan is { IsPlanned: true }
            ? new BatchReader(subject, plan)
            : throw new InvalidOperationException($"Cannot read batch {message.BatchId} of audit {message.AuditId}: the audit's {(subject is null ? "subject" : "plan")} is not stored here. If the Analyzer's database was replaced, restore it and retry the audit.");
    }

    static AnswerRow Row(EngineAnswered message, EngineAnswer answer, PlannedQuery query, TakenAnswer intake, DateTime now) => new()
    {
        AuditId = message.AuditId,
        CallKey = answer.CallKey,
        BatchId = message.BatchId,
        Attempt = message.Attempt,
        Engine = message.Engine,
        EngineKind = message.EngineKind,
        Simulated = message.Simulated,
        QueryId = query.QueryId,
        Query = query.Text,
        Category = query.Category,
        Branded = query.Branded,
        Control = query.Control,
        Run = answer.Run,
        Outcome = intake.Outcome,
        Reason = intake.Reason,
        RequestedModel = answer.RequestedModel,
        ServedModel = answer.ServedModel,
        Surface = answer.Surface,
        Text = intake.Text,
        TextHash = intake.TextHash,
        Sources = JsonColumn.Write(answer.Sources),
        SearchUsed = answer.SearchUsed,
        ResponseTimeMs = answer.ResponseTimeMs,
        InputTokens = answer.InputTokens,
        OutputTokens = answer.OutputTokens,
        CostMicroUsd = answer.CostMicroUsd,
        CacheHit = answer.CacheHit,
        Reused = answer.Reused,
        PaidTries = answer.PaidTries,
        AnsweredAt = answer.AnsweredAt,
        MatcherVersion = intake.Reading?.MatcherVersion,
        Reading = intake.Reading is { } reading ? ReadingColumn.Write(reading) : null,
        StoredAt = now,
    };

    /// <summary>The newer attempt's outcome; a text that is kept here is not given up for none.</summary>
    static void Renew(AnswerRow row, AnswerRow fresh)
    {
        row.BatchId = fresh.BatchId;
        row.Attempt = fresh.Attempt;
        row.Engine = fresh.Engine;
        row.EngineKind = fresh.EngineKind;
        row.Simulated = fresh.Simulated;
        row.QueryId = fresh.QueryId;
        row.Query = fresh.Query;
        row.Category = fresh.Category;
        row.Branded = fresh.Branded;
        row.Control = fresh.Control;
        row.Run = fresh.Run;
        row.Outcome = fresh.Outcome;
        row.Reason = fresh.Reason;
        row.RequestedModel = fresh.RequestedModel;
        row.ServedModel = fresh.ServedModel ?? row.ServedModel;
        row.Surface = fresh.Surface;
        if (fresh.Text is not null)
        {
            row.Text = fresh.Text;
            row.TextHash = fresh.TextHash;
        }

        row.Sources = fresh.Sources;
        row.SearchUsed = fresh.SearchUsed;
        row.ResponseTimeMs = fresh.ResponseTimeMs;
        row.InputTokens = fresh.InputTokens;
        row.OutputTokens = fresh.OutputTokens;
        row.CostMicroUsd = fresh.CostMicroUsd;
        row.CacheHit = fresh.CacheHit;
        row.Reused = fresh.Reused;
        row.PaidTries = fresh.PaidTries;
        row.AnsweredAt = fresh.AnsweredAt;
        row.MatcherVersion = fresh.MatcherVersion;
        row.Reading = fresh.Reading;
        row.FictitiousMentioned = fresh.FictitiousMentioned;
        row.StoredAt = fresh.StoredAt;
        row.Version++;
    }

    /// <summary>A stored batch as the read model was told of it.</summary>
    public static async Task<AnswersDescribed> DescribedAsync(AnalyzerDbContext db, AnalyzedBatchRow batch, CancellationToken cancellationToken)
    {
        var keys = batch.ReadCallKeys();
        var stored = await db.Answers.AsNoTracking().Where(x => x.AuditId == batch.AuditId && keys.Contains(x.CallKey)).ToDictionaryAsync(x => x.CallKey, StringComparer.Ordinal, cancellationToken);
        return Published(batch, keys.Where(stored.ContainsKey).Select(key => AnswerDescription.Of(stored[key]))).Described;
    }

    static AnalyzedBatch Published(AnalyzedBatchRow batch, IEnumerable<DescribedAnswer> answers) => new(
        batch.ToMessage(),
        new AnswersDescribed
        {
            AuditId = batch.AuditId,
            Attempt = batch.Attempt,
            BatchId = batch.BatchId,
            Engine = batch.Engine,
            EngineKind = batch.EngineKind,
            Simulated = batch.Simulated,
            Answers = [.. answers],
        },
        new AnswersStored { AuditId = batch.AuditId, Attempt = batch.Attempt, BatchId = batch.BatchId },
        new Dictionary<string, AnswerReading>(StringComparer.Ordinal));
}
