using System.Diagnostics;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Database;
using Assay.Dashboard.Webhooks;
using Assay.ServiceDefaults;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Projections;

/// <summary>
/// Projects messages of any audits in one transaction. It locks the audits' rows first, so that pieces which arrive together at several
/// processes are counted one after the other, and the one that completes a manifest sees it. Nothing here needs an inbox: each row says
/// itself which message it knows already.
/// </summary>
sealed class ProjectionTransaction(IDbContextOutbox<DashboardDbContext> outbox, WebhookOutbox webhooks, TimeProvider time)
{
    /// <summary>Texts of an audit's row that change once or twice in its life and would be written anew with every progress.</summary>
    static readonly string[] Texts = [nameof(AuditRow.RequestJson), nameof(AuditRow.AncestryJson), nameof(AuditRow.ScoresJson), nameof(AuditRow.CoverageJson), nameof(AuditRow.SearchText)];

    DashboardDbContext Db => outbox.DbContext;

    public async Task RunAsync(IReadOnlyCollection<Told> all, CancellationToken cancellationToken)
    {
        // All or nothing: a savepoint before each save would be two round trips for nothing.
        Db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await Db.Database.BeginTransactionAsync(cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        var audits = await Db.LockAuditsAsync([.. all.Select(told => told.AuditId)], now, cancellationToken);
        var changes = new ReadModelChanges(audits);
        foreach (var told in all)
            changes.Take(told);

        var writes = new RowWrites(Db);
        AddPieces(writes, changes);
        await PublishCompleteReportsAsync(writes, changes, audits, all, now, cancellationToken);
        foreach (var (auditId, attempt, end) in changes.Announcements)
            await webhooks.AnnounceAsync(auditId, attempt, end, cancellationToken);
        var changed = changes.Changed(now);
        writes.Update([.. changed.Where(audit => audit.TextsToo).Select(audit => audit.Row)]);
        writes.Update([.. changed.Where(audit => !audit.TextsToo).Select(audit => audit.Row)], except: Texts);
        await writes.RunAsync(cancellationToken);
        await outbox.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.NotifyCommitted();
    }

    static void AddPieces(RowWrites writes, ReadModelChanges changes)
    {
        writes.Insert(changes.Transitions.Values, "DO NOTHING");
        writes.Insert(changes.Panels.Values, "DO NOTHING");
        writes.Insert(changes.Batches.Values, "DO NOTHING");
        writes.Insert(changes.Progress.Values,
            """
            DO UPDATE SET decided_calls = excluded.decided_calls, total_calls = excluded.total_calls, waiting_for = excluded.waiting_for, waiting_until = excluded.waiting_until,
                worker = COALESCE(excluded.worker, batch_progress.worker), at = excluded.at
            WHERE excluded.decided_calls > batch_progress.decided_calls OR (excluded.decided_calls = batch_progress.decided_calls AND excluded.at >= batch_progress.at)
            """);
        // A later attempt tells what it reuses again, as its own; the same batch told twice changes nothing.
        writes.Insert(changes.Answers.Values,
            """
            DO UPDATE SET batch_id = excluded.batch_id, attempt = excluded.attempt, engine = excluded.engine, engine_kind = excluded.engine_kind, simulated = excluded.simulated,
                query_id = excluded.query_id, run = excluded.run, outcome = excluded.outcome, brands = excluded.brands, json = excluded.json
            WHERE excluded.attempt > answer.attempt OR (excluded.attempt = answer.attempt AND excluded.batch_id <> answer.batch_id)
            """);
        writes.Insert(changes.Scores.Values, "DO UPDATE SET attempt = excluded.attempt, scored_at = excluded.scored_at, json = excluded.json WHERE excluded.attempt > score.attempt");
        writes.Insert(changes.Layers.Values, "DO UPDATE SET attempt = excluded.attempt, json = excluded.json WHERE excluded.attempt > insight_layer.attempt");
        writes.Insert(changes.Judgements.Values, "DO UPDATE SET attempt = excluded.attempt, json = excluded.json WHERE excluded.attempt > judgement.attempt");
        writes.Insert(changes.Ends.Values, "DO NOTHING");
    }

    /// <summary>Keeps what reports must hold, and answers for each that is complete now, in this transaction.</summary>
    async Task PublishCompleteReportsAsync(RowWrites writes, ReadModelChanges changes, Dictionary<Guid, AuditRow> audits, IReadOnlyCollection<Told> all, DateTime now, CancellationToken cancellationToken)
    {
        Guid[] touched = [.. changes.WithReportPieces.Concat(changes.Manifests.Select(wanted => wanted.AuditId)).Distinct()];
        if (touched.Length == 0)
            return;
        Guid[] asked = [.. changes.Manifests.Select(wanted => wanted.AuditId).Distinct()];
        var manifests = await Db.Manifests.Where(manifest => touched.Contains(manifest.AuditId) && (manifest.PublishedAt == null || asked.Contains(manifest.AuditId))).ToListAsync(cancellationToken);
        foreach (var wanted in changes.Manifests)
        {
            var json = JsonSerializer.Serialize(wanted, AssayJson.Options);
            if (manifests.Find(manifest => manifest.AuditId == wanted.AuditId && manifest.Attempt == wanted.Attempt) is not { } known)
            {
                manifests.Add(known = new ManifestRow { AuditId = wanted.AuditId, Attempt = wanted.Attempt, Json = json });
                Db.Manifests.Add(known);
            }
            else if (known.PublishedAt is { } publishedAt)
            {
                // Asked again: the answer may have been lost, and saying it twice does no harm.
                await SayPublishedAsync(known, publishedAt, all, cancellationToken);
            }
            else
                known.Json = json;
        }

        var open = manifests.Where(manifest => manifest.PublishedAt is null).ToList();
        if (open.Count == 0)
            return;
        // Written first, so that the questions below see these pieces.
        await writes.RunAsync(cancellationToken);
        var pieces = await PiecesAsync([.. open.Select(manifest => manifest.AuditId).Distinct()], cancellationToken);
        foreach (var manifest in open)
        {
            if (!pieces.Complete(JsonSerializer.Deserialize<PublishReport>(manifest.Json, AssayJson.Options)!))
                continue;
            manifest.PublishedAt = now;
            audits[manifest.AuditId].ReportAttempt = Math.Max(audits[manifest.AuditId].ReportAttempt, manifest.Attempt);
            await SayPublishedAsync(manifest, now, all, cancellationToken);
        }
    }

    /// <summary>What is there of these audits, asked once for all: many of them may be complete at the same time, and their rows are locked meanwhile.</summary>
    async Task<Pieces> PiecesAsync(Guid[] audits, CancellationToken cancellationToken)
    {
        var scores = await Db.Scores.Where(score => audits.Contains(score.AuditId)).Select(score => new { score.AuditId, score.ScoreId }).ToListAsync(cancellationToken);
        var layers = await Db.InsightLayers.Where(layer => audits.Contains(layer.AuditId)).Select(layer => new { layer.AuditId, layer.Layer }).ToListAsync(cancellationToken);
        var batches = await Db.Batches.Where(batch => audits.Contains(batch.AuditId)).Select(batch => new { batch.AuditId, batch.BatchId, batch.AnswerCount }).ToListAsync(cancellationToken);
        return new Pieces(
            scores.Select(score => (score.AuditId, score.ScoreId)).ToHashSet(),
            layers.ToLookup(layer => layer.AuditId, layer => layer.Layer),
            batches.ToLookup(batch => batch.AuditId, batch => (batch.BatchId, batch.AnswerCount)));
    }

    sealed record Pieces(HashSet<(Guid AuditId, Guid ScoreId)> Scores, ILookup<Guid, int> Layers, ILookup<Guid, (Guid Id, int Answers)> Batches)
    {
        /// <summary>Whether everything that a report must hold has arrived.</summary>
        public bool Complete(PublishReport wanted)
        {
            if (!Scores.Contains((wanted.AuditId, wanted.ScoreId)) || wanted.Layers.Except(Layers[wanted.AuditId]).Any())
                return false;
            var named = Batches[wanted.AuditId].Where(batch => wanted.BatchIds.Contains(batch.Id)).ToList();
            return named.Count == wanted.BatchIds.Distinct().Count() && named.Sum(batch => batch.Answers) >= wanted.AnswerCount;
        }
    }

    async Task SayPublishedAsync(ManifestRow manifest, DateTime publishedAt, IReadOnlyCollection<Told> all, CancellationToken cancellationToken)
    {
        // In the trace of what asked for it, or of the piece that completed it.
        var cause = all.LastOrDefault(told => told.AuditId == manifest.AuditId && told.Message is PublishReport) ?? all.Last(told => told.AuditId == manifest.AuditId);
        var before = Activity.Current;
        Activity.Current = cause.Trace;
        await outbox.Publish(new ReportPublished { AuditId = manifest.AuditId, Attempt = manifest.Attempt, PublishedAt = publishedAt }, cancellationToken);
        Activity.Current = before;
    }
}
