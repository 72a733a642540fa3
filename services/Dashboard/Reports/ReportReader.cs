using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Api;
using Assay.Dashboard.Database;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Reports;

/// <summary>Reads a report from the read model; the full texts are asked from the Analyzer, which alone keeps them.</summary>
sealed class ReportReader(DashboardDbContext db, AnalyzerClient analyzer, IRequestClient<GetAnswerTexts> texts, RequestTurns turns, TimeProvider time)
{
    const int KeysPerRequest = 100;

    /// <summary>Scores are computed for whoever asks; a page waits less long than an export for what it can do without.</summary>
    static readonly TimeSpan ExportPatience = TimeSpan.FromSeconds(15);

    static readonly TimeSpan PagePatience = TimeSpan.FromSeconds(3);

    /// <summary>The report, or null for an unknown audit. With <paramref name="withTexts"/> false the answers carry no texts.</summary>
    /// <exception cref="TextsUnavailableException">The Analyzer did not answer in time.</exception>
    public async Task<Report?> ReadAsync(Guid auditId, bool withTexts, CancellationToken cancellationToken)
    {
        var audit = await db.Audits.AsNoTracking().SingleOrDefaultAsync(row => row.AuditId == auditId, cancellationToken);
        if (audit is null)
            return null;
        var answers = await db.Answers.AsNoTracking().Where(a => a.AuditId == auditId).Select(a => new { a.Engine, a.Simulated, a.Json }).ToListAsync(cancellationToken);
        var described = answers.ConvertAll(a => new SourceAnswer(a.Engine, a.Simulated, JsonSerializer.Deserialize<DescribedAnswer>(a.Json, AssayJson.Options)!));
        var scores = audit.ScoreId is null ? [] : await db.Scores.AsNoTracking().Where(s => s.AuditId == auditId).ToListAsync(cancellationToken);
        var score = scores.OrderByDescending(s => s.Attempt).ThenByDescending(s => s.ScoredAt).FirstOrDefault();
        var (partial, partialUnavailable) = score is null ? await PartialAsync(audit, described, withTexts, cancellationToken) : default;
        var layers = await db.InsightLayers.AsNoTracking().Where(layer => layer.AuditId == auditId).Select(layer => layer.Json).ToListAsync(cancellationToken);
        var panel = await db.Panels.AsNoTracking().Where(p => p.AuditId == auditId).Select(p => p.Json).SingleOrDefaultAsync(cancellationToken);
        var judged = await db.Judgements.AsNoTracking().Where(j => j.AuditId == auditId).Select(j => j.Json).SingleOrDefaultAsync(cancellationToken);
        var source = new ReportSource
        {
            Audit = audit,
            Request = AuditJson.Request(audit),
            Panel = AuditJson.Read<QueriesPlanned>(panel),
            Score = AuditJson.Read<AuditScored>(score?.Json) ?? partial,
            Partial = partial is not null,
            PartialUnavailable = partialUnavailable,
            Layers = [.. layers.Select(json => JsonSerializer.Deserialize<InsightsDrafted>(json, AssayJson.Options)!)],
            Judged = AuditJson.Read<AnswersJudged>(judged),
            Answers = described,
            Transitions = await db.Transitions.AsNoTracking().Where(t => t.AuditId == auditId).ToListAsync(cancellationToken),
            Texts = withTexts ? await TextsAsync(auditId, [.. described.Where(a => a.Answer.TextLength > 0).Select(a => a.Answer.CallKey)], cancellationToken) : new Dictionary<string, AnswerText>(StringComparer.Ordinal),
        };
        return ReportAssembly.Assemble(source, time.GetUtcNow().UtcDateTime);
    }

    /// <summary>
    /// Scores over what was answered of an audit that ended before its scoring. An export must have them or say why not; a page shows itself
    /// without them and says so.
    /// </summary>
    async Task<(AuditScored? Scored, string? Unavailable)> PartialAsync(AuditRow audit, List<SourceAnswer> answers, bool required, CancellationToken cancellationToken)
    {
        if (audit.Status is not (AuditStates.Failed or AuditStates.Cancelled) || !answers.Exists(a => a.Answer.Outcome == "valid"))
            return default;
        try
        {
            return (await analyzer.PartialScoresAsync(audit.AuditId, required ? ExportPatience : PagePatience, cancellationToken), null);
        }
        catch (TextsUnavailableException exception) when (!required)
        {
            return (null, exception.Message);
        }
    }

    /// <summary>The stored texts by call key.</summary>
    public async Task<IReadOnlyDictionary<string, AnswerText>> TextsAsync(Guid auditId, IReadOnlyList<string> callKeys, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, AnswerText>(StringComparer.Ordinal);
        turns.Leave();
        foreach (var chunk in callKeys.Chunk(KeysPerRequest))
        {
            try
            {
                var response = await texts.GetResponse<AnswerTexts>(new GetAnswerTexts { AuditId = auditId, CallKeys = chunk }, cancellationToken, AnalyzerClient.Patience);
                foreach (var text in response.Message.Texts)
                    found[text.CallKey] = text;
            }
            catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
            {
                throw new TextsUnavailableException($"The texts of audit {auditId} were asked from the Analyzer, which did not give them: {exception.Message} Check that the Analyzer runs, then ask again.", exception);
            }
        }

        return found;
    }
}

/// <summary>The Analyzer, which keeps the texts, did not give them.</summary>
sealed class TextsUnavailableException(string message, Exception inner) : Exception(message, inner);
