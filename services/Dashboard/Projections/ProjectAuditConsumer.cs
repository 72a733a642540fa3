using System.Diagnostics;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;
using Assay.Dashboard.Webhooks;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Projections;

/// <summary>
/// Projects everything that is told about an audit into the read model. Each message locks the audit's row first, so that pieces which
/// arrive together are counted one after the other and the one that completes a manifest sees it.
/// </summary>
sealed class ProjectAuditConsumer(DashboardDbContext db, WebhookOutbox webhooks, TimeProvider time) :
    IConsumer<AuditRegistered>, IConsumer<AuditAccepted>, IConsumer<AuditRejected>, IConsumer<AuditProgressed>, IConsumer<AuditTransitioned>,
    IConsumer<QueriesPlanned>, IConsumer<AnswersDescribed>, IConsumer<AuditScored>, IConsumer<InsightsDrafted>, IConsumer<AnswersJudged>, IConsumer<PublishReport>,
    IConsumer<BudgetReported>, IConsumer<BatchAlive>, IConsumer<AuditCompleted>, IConsumer<AuditFailed>, IConsumer<AuditCancelled>
{
    DateTime Now => time.GetUtcNow().UtcDateTime;

    public async Task Consume(ConsumeContext<AuditRegistered> context) => (await LockAsync(context, context.Message.AuditId))?.Apply(context.Message);

    public async Task Consume(ConsumeContext<AuditAccepted> context) => (await LockAsync(context, context.Message.AuditId))?.Apply(context.Message);

    public async Task Consume(ConsumeContext<AuditRejected> context) => (await LockAsync(context, context.Message.AuditId))?.Apply(context.Message);

    public async Task Consume(ConsumeContext<AuditProgressed> context) => (await LockAsync(context, context.Message.AuditId))?.Apply(context.Message);

    public async Task Consume(ConsumeContext<BudgetReported> context) => (await LockAsync(context, context.Message.AuditId))?.Apply(context.Message);

    public async Task Consume(ConsumeContext<AuditCompleted> context)
    {
        if (await LockAsync(context, context.Message.AuditId) is not { } row)
            return;
        row.Apply(context.Message);
        await KeepEndAsync(new AttemptEndRow
        {
            AuditId = row.AuditId, Attempt = context.Message.Attempt, Status = AuditStates.Completed,
            EndedAt = context.Message.CompletedAt, SpentMicroUsd = MicroUsd.FromUsd(context.Message.SpentUsd),
        }, context.CancellationToken);
        await webhooks.AnnounceAsync(context.Message.AuditId, context.Message.Attempt, context.Message, context.CancellationToken);
    }

    public async Task Consume(ConsumeContext<AuditFailed> context)
    {
        if (await LockAsync(context, context.Message.AuditId) is not { } row)
            return;
        row.Apply(context.Message);
        await KeepEndAsync(new AttemptEndRow
        {
            AuditId = row.AuditId, Attempt = context.Message.Attempt, Status = AuditStates.Failed, Reason = context.Message.Reason, Detail = context.Message.Detail, Phase = context.Message.Phase,
            EndedAt = context.Message.FailedAt, SpentMicroUsd = MicroUsd.FromUsd(context.Message.SpentUsd),
        }, context.CancellationToken);
        await webhooks.AnnounceAsync(context.Message.AuditId, context.Message.Attempt, context.Message, context.CancellationToken);
    }

    public async Task Consume(ConsumeContext<AuditCancelled> context)
    {
        if (await LockAsync(context, context.Message.AuditId) is not { } row)
            return;
        row.Apply(context.Message);
        await KeepEndAsync(new AttemptEndRow
        {
            AuditId = row.AuditId, Attempt = context.Message.Attempt, Status = AuditStates.Cancelled, Reason = "Cancelled", Detail = context.Message.Reason, Phase = context.Message.Phase,
            EndedAt = context.Message.CancelledAt, SpentMicroUsd = MicroUsd.FromUsd(context.Message.SpentUsd),
        }, context.CancellationToken);
        await webhooks.AnnounceAsync(context.Message.AuditId, context.Message.Attempt, context.Message, context.CancellationToken);
    }

    public async Task Consume(ConsumeContext<AuditTransitioned> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is not { } row)
            return;
        row.Apply(message);
        if (await db.Transitions.AnyAsync(t => t.AuditId == message.AuditId && t.Sequence == message.Sequence, context.CancellationToken))
            return;
        db.Transitions.Add(new TransitionRow
        {
            AuditId = message.AuditId, Sequence = message.Sequence, Attempt = message.Attempt, FromState = message.From, ToState = message.To,
            Trigger = message.Trigger, Worker = message.Worker, At = message.At, ElapsedMs = message.ElapsedMs,
            // The message goes on with the saga's trace, where one is made.
            TraceId = Activity.Current?.TraceId.ToString(),
        });
    }

    public async Task Consume(ConsumeContext<BatchAlive> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is not { } row)
            return;
        row.Apply(message);
        if (message.BatchId is not { } batchId || message.Engine is not { } engine)
            return;
        await TakeProgressAsync(message.AuditId, batchId, message.Attempt, engine, message.DecidedCalls, message.TotalCalls,
            message.WaitingFor, message.Until, message.Worker, message.At, context.CancellationToken);
    }

    public async Task Consume(ConsumeContext<QueriesPlanned> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is null)
            return;
        // The panel is immutable per audit: the first one told is the panel.
        if (!await db.Panels.AnyAsync(panel => panel.AuditId == message.AuditId, context.CancellationToken))
            db.Panels.Add(new PanelRow { AuditId = message.AuditId, Json = JsonSerializer.Serialize(message, AssayJson.Options) });
    }

    public async Task Consume(ConsumeContext<AnswersDescribed> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is not { } row)
            return;
        row.Apply(message);
        if (await db.Batches.AnyAsync(batch => batch.BatchId == message.BatchId, context.CancellationToken))
            return;
        db.Batches.Add(new BatchRow { BatchId = message.BatchId, AuditId = message.AuditId, Attempt = message.Attempt, Engine = message.Engine, AnswerCount = message.Answers.Count });
        await StoreAnswersAsync(message, context.CancellationToken);
        await TakeProgressAsync(message.AuditId, message.BatchId, message.Attempt, message.Engine, message.Answers.Count, message.Answers.Count,
            null, null, null, Now, context.CancellationToken);
        await PublishCompleteReportsAsync(context, row);
    }

    public async Task Consume(ConsumeContext<AuditScored> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is not { } row)
            return;
        row.Apply(message);
        if (await db.Scores.AnyAsync(score => score.ScoreId == message.ScoreId, context.CancellationToken))
            return;
        db.Scores.Add(new ScoreRow
        {
            ScoreId = message.ScoreId, AuditId = message.AuditId, Attempt = message.Attempt, ScoredAt = message.ScoredAt,
            Json = JsonSerializer.Serialize(message, AssayJson.Options),
        });
        await PublishCompleteReportsAsync(context, row);
    }

    public async Task Consume(ConsumeContext<InsightsDrafted> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is not { } row)
            return;
        var layer = await db.InsightLayers.SingleOrDefaultAsync(l => l.AuditId == message.AuditId && l.Layer == message.Layer, context.CancellationToken);
        if (layer is null)
            db.InsightLayers.Add(new InsightLayerRow { AuditId = message.AuditId, Layer = message.Layer, Attempt = message.Attempt, Json = JsonSerializer.Serialize(message, AssayJson.Options) });
        else if (layer.Attempt < message.Attempt)
        {
            layer.Attempt = message.Attempt;
            layer.Json = JsonSerializer.Serialize(message, AssayJson.Options);
        }

        await PublishCompleteReportsAsync(context, row);
    }

    public async Task Consume(ConsumeContext<AnswersJudged> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is null)
            return;
        var json = JsonSerializer.Serialize(message, AssayJson.Options);
        if (await db.Judgements.SingleOrDefaultAsync(j => j.AuditId == message.AuditId, context.CancellationToken) is not { } judgement)
            db.Judgements.Add(new JudgementRow { AuditId = message.AuditId, Attempt = message.Attempt, Json = json });
        else if (judgement.Attempt < message.Attempt)
            (judgement.Attempt, judgement.Json) = (message.Attempt, json);
    }

    public async Task Consume(ConsumeContext<PublishReport> context)
    {
        var message = context.Message;
        if (await LockAsync(context, message.AuditId) is not { } row)
            return;
        var manifest = await db.Manifests.SingleOrDefaultAsync(m => m.AuditId == message.AuditId && m.Attempt == message.Attempt, context.CancellationToken);
        var json = JsonSerializer.Serialize(message, AssayJson.Options);
        if (manifest is null)
            db.Manifests.Add(new ManifestRow { AuditId = message.AuditId, Attempt = message.Attempt, Json = json });
        else if (manifest.PublishedAt is { } publishedAt)
        {
            // Asked again: the answer may have been lost, and saying it twice does no harm.
            await context.Publish(new ReportPublished { AuditId = message.AuditId, Attempt = message.Attempt, PublishedAt = publishedAt }, context.CancellationToken);
            return;
        }
        else
            manifest.Json = json;

        await PublishCompleteReportsAsync(context, row);
    }

    /// <summary>Null for a deleted audit, of which nothing is kept any more.</summary>
    async Task<AuditRow?> LockAsync(ConsumeContext context, Guid auditId) => await db.LockAuditAsync(auditId, Now, context.CancellationToken);

    /// <summary>An attempt ends once: the first end told is kept.</summary>
    async Task KeepEndAsync(AttemptEndRow end, CancellationToken cancellationToken)
    {
        if (!await db.AttemptEnds.AnyAsync(e => e.AuditId == end.AuditId && e.Attempt == end.Attempt, cancellationToken))
            db.AttemptEnds.Add(end);
    }

    async Task PublishCompleteReportsAsync(ConsumeContext context, AuditRow row)
    {
        // Saved first, so that the questions below see this piece; still the one transaction of this message.
        await db.SaveChangesAsync(context.CancellationToken);
        var open = await db.Manifests.Where(m => m.AuditId == row.AuditId && m.PublishedAt == null).ToListAsync(context.CancellationToken);
        foreach (var manifest in open)
        {
            var wanted = JsonSerializer.Deserialize<PublishReport>(manifest.Json, AssayJson.Options)!;
            if (!await IsCompleteAsync(wanted, context.CancellationToken))
                continue;
            manifest.PublishedAt = Now;
            row.ReportAttempt = Math.Max(row.ReportAttempt, manifest.Attempt);
            await context.Publish(new ReportPublished { AuditId = row.AuditId, Attempt = manifest.Attempt, PublishedAt = manifest.PublishedAt.Value }, context.CancellationToken);
        }
    }

    async Task<bool> IsCompleteAsync(PublishReport wanted, CancellationToken cancellationToken)
    {
        if (!await db.Scores.AnyAsync(score => score.ScoreId == wanted.ScoreId && score.AuditId == wanted.AuditId, cancellationToken))
            return false;
        var layers = await db.InsightLayers.Where(layer => layer.AuditId == wanted.AuditId).Select(layer => layer.Layer).ToListAsync(cancellationToken);
        if (wanted.Layers.Except(layers).Any())
            return false;
        var batches = await db.Batches.Where(batch => batch.AuditId == wanted.AuditId).Select(batch => new { batch.BatchId, batch.AnswerCount }).ToListAsync(cancellationToken);
        var named = batches.Where(batch => wanted.BatchIds.Contains(batch.BatchId)).ToList();
        return named.Count == wanted.BatchIds.Distinct().Count() && named.Sum(batch => batch.AnswerCount) >= wanted.AnswerCount;
    }

    async Task StoreAnswersAsync(AnswersDescribed message, CancellationToken cancellationToken)
    {
        var keys = message.Answers.Select(answer => answer.CallKey).ToList();
        var stored = await db.Answers.Where(answer => answer.AuditId == message.AuditId && keys.Contains(answer.CallKey))
            .ToDictionaryAsync(answer => answer.CallKey, StringComparer.Ordinal, cancellationToken);
        foreach (var answer in message.Answers)
        {
            if (stored.TryGetValue(answer.CallKey, out var old))
            {
                if (old.Attempt > message.Attempt)
                    continue;
                db.Answers.Remove(old);
                await db.SaveChangesAsync(cancellationToken);
            }

            var row = new AnswerRow
            {
                AuditId = message.AuditId, CallKey = answer.CallKey, BatchId = message.BatchId, Attempt = message.Attempt,
                Engine = message.Engine, EngineKind = message.EngineKind, Simulated = message.Simulated,
                QueryId = answer.QueryId, Run = answer.Run, Outcome = answer.Outcome,
                Brands = "\n" + string.Concat(answer.Mentions.Select(mention => mention.Brand).Distinct(StringComparer.Ordinal).Select(brand => brand + "\n")),
                Json = JsonSerializer.Serialize(answer, AssayJson.Options),
            };
            stored[answer.CallKey] = row;
            db.Answers.Add(row);
        }
    }

    async Task TakeProgressAsync(Guid auditId, Guid batchId, int attempt, string engine, int decided, int total, string? waitingFor, DateTime? until, string? worker, DateTime at, CancellationToken cancellationToken)
    {
        var progress = await db.BatchProgress.SingleOrDefaultAsync(p => p.AuditId == auditId && p.BatchId == batchId, cancellationToken);
        if (progress is null)
            db.BatchProgress.Add(progress = new BatchProgressRow { AuditId = auditId, BatchId = batchId, Attempt = attempt, Engine = engine });
        // Calls are only ever decided: a lower count is an older message.
        if (decided < progress.DecidedCalls || (decided == progress.DecidedCalls && at < progress.At))
            return;
        progress.DecidedCalls = decided;
        progress.TotalCalls = total;
        progress.WaitingFor = decided < total ? waitingFor : null;
        progress.WaitingUntil = decided < total ? until : null;
        progress.Worker = worker ?? progress.Worker;
        progress.At = at;
    }
}

sealed class ProjectAuditConsumerDefinition : AssayConsumerDefinition<ProjectAuditConsumer, DashboardDbContext>
{
    public ProjectAuditConsumerDefinition() => ConcurrentMessageLimit = 8;
}
