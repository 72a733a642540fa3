using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;

namespace Assay.Dashboard.Projections;

/// <summary>
/// What messages change in the read model, gathered in memory: superseded progress costs nothing, and each row is written once. Pure; the
/// rules by which a stored row wins over one from here are those of the statements in <see cref="ProjectionTransaction"/>.
/// </summary>
sealed class ReadModelChanges(IReadOnlyDictionary<Guid, AuditRow> audits)
{
    readonly Dictionary<Guid, AuditRow> before = audits.ToDictionary(audit => audit.Key, audit => audit.Value with { });
    readonly HashSet<Guid> withPieces = [];

    public Dictionary<(Guid AuditId, int Sequence), TransitionRow> Transitions { get; } = [];
    public Dictionary<Guid, PanelRow> Panels { get; } = [];
    public Dictionary<Guid, BatchRow> Batches { get; } = [];
    public Dictionary<(Guid AuditId, Guid BatchId), BatchProgressRow> Progress { get; } = [];
    public Dictionary<(Guid AuditId, string CallKey), AnswerRow> Answers { get; } = [];
    public Dictionary<Guid, ScoreRow> Scores { get; } = [];
    public Dictionary<(Guid AuditId, int Layer), InsightLayerRow> Layers { get; } = [];
    public Dictionary<Guid, JudgementRow> Judgements { get; } = [];
    public Dictionary<(Guid AuditId, int Attempt), AttemptEndRow> Ends { get; } = [];

    /// <summary>Ends to announce to webhooks.</summary>
    public List<(Guid AuditId, int Attempt, object End)> Announcements { get; } = [];

    /// <summary>Reports asked for.</summary>
    public List<PublishReport> Manifests { get; } = [];

    /// <summary>The audits of which something came that a report may wait for.</summary>
    public IReadOnlyCollection<Guid> WithReportPieces => [.. Batches.Values.Select(batch => batch.AuditId).Concat(Scores.Values.Select(score => score.AuditId)).Concat(Layers.Keys.Select(layer => layer.AuditId)).Distinct()];

    /// <summary>The audits' rows that are to be written, one version further.</summary>
    public IReadOnlyList<(AuditRow Row, bool TextsToo)> Changed(DateTime now)
    {
        var changed = new List<(AuditRow, bool)>();
        foreach (var (id, row) in audits)
        {
            var old = before[id];
            if (row == old && !withPieces.Contains(id))
                continue;
            row.Version++;
            row.UpdatedAt = now;
            changed.Add((row, row.RequestJson != old.RequestJson || row.AncestryJson != old.AncestryJson || row.ScoresJson != old.ScoresJson || row.CoverageJson != old.CoverageJson || row.SearchText != old.SearchText));
        }

        return changed;
    }

    /// <summary>Takes one message; of a deleted audit nothing is kept.</summary>
    public void Take(Told told)
    {
        if (!audits.TryGetValue(told.AuditId, out var row))
            return;
        switch (told.Message)
        {
            case AuditRegistered registered:
                row.Apply(registered);
                break;
            case AuditAccepted accepted:
                row.Apply(accepted);
                break;
            case AuditRejected rejected:
                row.Apply(rejected);
                break;
            case AuditProgressed progressed:
                row.Apply(progressed);
                break;
            case BudgetReported budget:
                row.Apply(budget);
                break;
            case MoneyTold money:
                row.Apply(money);
                break;
            case AuditTransitioned transitioned:
                row.Apply(transitioned);
                Take(transitioned, told);
                break;
            case BatchAlive alive:
                row.Apply(alive);
                Take(alive);
                break;
            case QueriesPlanned planned:
                // The panel is immutable per audit: the first one told is the panel.
                Panels.TryAdd(row.AuditId, new PanelRow { AuditId = row.AuditId, Json = Json(planned) });
                withPieces.Add(row.AuditId);
                break;
            case AnswersDescribed described:
                row.Apply(described);
                Take(described, told.At);
                break;
            case AuditScored scored:
                row.Apply(scored);
                Scores.TryAdd(scored.ScoreId, new ScoreRow { ScoreId = scored.ScoreId, AuditId = row.AuditId, Attempt = scored.Attempt, ScoredAt = scored.ScoredAt, Json = Json(scored) });
                withPieces.Add(row.AuditId);
                break;
            case InsightsDrafted insights:
                Take(insights);
                break;
            case AnswersJudged judged:
                if (Judgements.GetValueOrDefault(row.AuditId) is not { } judgement || judgement.Attempt < judged.Attempt)
                    Judgements[row.AuditId] = new JudgementRow { AuditId = row.AuditId, Attempt = judged.Attempt, Json = Json(judged) };
                withPieces.Add(row.AuditId);
                break;
            case PublishReport wanted:
                Manifests.Add(wanted);
                withPieces.Add(row.AuditId);
                break;
            case AuditCompleted completed:
                row.Apply(completed);
                End(completed, AttemptEndRow.Of(completed));
                break;
            case AuditFailed failed:
                row.Apply(failed);
                End(failed, AttemptEndRow.Of(failed));
                break;
            case AuditCancelled cancelled:
                row.Apply(cancelled);
                End(cancelled, AttemptEndRow.Of(cancelled));
                break;
            default:
                throw new ArgumentException($"The read model does not know what {told.Message.GetType().Name} changes in audit {told.AuditId}.", nameof(told));
        }
    }

    void Take(AuditTransitioned step, Told told) => Transitions.TryAdd((step.AuditId, step.Sequence), new TransitionRow
    {
        AuditId = step.AuditId, Sequence = step.Sequence, Attempt = step.Attempt, FromState = step.From, ToState = step.To, Trigger = step.Trigger, Worker = step.Worker,
        At = step.At, ElapsedMs = step.ElapsedMs,
        // The message goes on with the saga's trace, where one is made.
        TraceId = told.Trace?.TraceId.ToString(),
    });

    void Take(BatchAlive alive)
    {
        if (alive.BatchId is not { } batchId || alive.Engine is not { } engine)
            return;
        Keep(new BatchProgressRow
        {
            AuditId = alive.AuditId, BatchId = batchId, Attempt = alive.Attempt, Engine = engine, DecidedCalls = alive.DecidedCalls, TotalCalls = alive.TotalCalls,
            WaitingFor = alive.DecidedCalls < alive.TotalCalls ? alive.WaitingFor : null, WaitingUntil = alive.DecidedCalls < alive.TotalCalls ? alive.Until : null, Worker = alive.Worker, At = alive.At,
        });
    }

    void Take(AnswersDescribed described, DateTime at)
    {
        withPieces.Add(described.AuditId);
        Batches.TryAdd(described.BatchId, new BatchRow { BatchId = described.BatchId, AuditId = described.AuditId, Attempt = described.Attempt, Engine = described.Engine, AnswerCount = described.Answers.Count });
        Keep(new BatchProgressRow
        {
            AuditId = described.AuditId, BatchId = described.BatchId, Attempt = described.Attempt, Engine = described.Engine, DecidedCalls = described.Answers.Count, TotalCalls = described.Answers.Count, At = at,
        });
        foreach (var answer in described.Answers)
        {
            if (Answers.TryGetValue((described.AuditId, answer.CallKey), out var old) && old.Attempt > described.Attempt)
                continue;
            Answers[(described.AuditId, answer.CallKey)] = new AnswerRow
            {
                AuditId = described.AuditId, CallKey = answer.CallKey, BatchId = described.BatchId, Attempt = described.Attempt,
                Engine = described.Engine, EngineKind = described.EngineKind, Simulated = described.Simulated,
                QueryId = answer.QueryId, Run = answer.Run, Outcome = answer.Outcome,
                Brands = "\n" + string.Concat(answer.Mentions.Select(mention => mention.Brand).Distinct(StringComparer.Ordinal).Select(brand => brand + "\n")),
                Json = Json(answer),
            };
        }
    }

    void Take(InsightsDrafted insights)
    {
        withPieces.Add(insights.AuditId);
        if (Layers.GetValueOrDefault((insights.AuditId, insights.Layer)) is not { } layer || layer.Attempt < insights.Attempt)
            Layers[(insights.AuditId, insights.Layer)] = new InsightLayerRow { AuditId = insights.AuditId, Layer = insights.Layer, Attempt = insights.Attempt, Json = Json(insights) };
    }

    /// <summary>Calls are only ever decided: a lower count is an older message.</summary>
    void Keep(BatchProgressRow row)
    {
        withPieces.Add(row.AuditId);
        if (!Progress.TryGetValue((row.AuditId, row.BatchId), out var old))
            Progress[(row.AuditId, row.BatchId)] = row;
        else if (row.DecidedCalls > old.DecidedCalls || (row.DecidedCalls == old.DecidedCalls && row.At >= old.At))
        {
            row.Worker ??= old.Worker;
            Progress[(row.AuditId, row.BatchId)] = row;
        }
    }

    /// <summary>An attempt ends once: the first end told is kept.</summary>
    void End(object message, AttemptEndRow end)
    {
        if (Ends.TryAdd((end.AuditId, end.Attempt), end))
            Announcements.Add((end.AuditId, end.Attempt, message));
    }

    static string Json<T>(T value) => JsonSerializer.Serialize(value, AssayJson.Options);
}
