using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Answers;

/// <summary>One answer in a list: everything but the text.</summary>
/// <param name="Counts">Where the list is that of a metric: whether this answer counts for it.</param>
public sealed record AnswerSummary(string Engine, string EngineKind, bool Simulated, int Attempt, DescribedAnswer Answer, bool? Counts = null);

/// <summary>One answer with its text.</summary>
public sealed record AnswerDetail(Guid AuditId, string Engine, string EngineKind, bool Simulated, int Attempt, DescribedAnswer Answer, string? Text, IReadOnlyList<Assay.Contracts.Internal.LlmGateway.AnswerSource> Sources, JudgeOpinion? Judge = null);

/// <summary>What an answer list is narrowed to: each number of a report opens the answers behind it through this.</summary>
/// <param name="Category">The kind of query.</param>
/// <param name="Domain">A registrable domain the answer cites.</param>
/// <param name="Metric">A metric: only the answers it is computed over.</param>
/// <param name="Of">Whose metric: the brand's own name if left out.</param>
/// <param name="Counts"><c>yes</c>: only those that count for the metric; <c>no</c>: only those that do not.</param>
public sealed record AnswerFilter(
    string? Engine = null, string? Query = null, string? Outcome = null, string? Brand = null, string? Reason = null, string? Category = null, string? Domain = null, string? Metric = null, string? Of = null, string? Counts = null)
{
    public bool IsEmpty => Fields.All(part => string.IsNullOrWhiteSpace(part.Value));

    /// <summary>As a query string, for links.</summary>
    public string ToQuery() => string.Join('&', Fields.Where(part => !string.IsNullOrWhiteSpace(part.Value)).Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}"));

    internal IEnumerable<(string Name, string? Value)> Fields =>
    [
        ("engine", Engine), ("query", Query), ("outcome", Outcome), ("brand", Brand), ("reason", Reason), ("category", Category), ("domain", Domain), ("metric", Metric), ("of", Of), ("counts", Counts),
    ];
}

sealed class AnswerReader(DashboardDbContext db, ReportReader reports)
{
    public async Task<Paged<AnswerSummary>> ListAsync(Guid auditId, AnswerFilter filter, int page, int pageSize, CancellationToken cancellationToken)
    {
        page = Math.Max(1, page);
        pageSize = Math.Clamp(pageSize, 1, AuditReader.MaxPageSize);
        var answers = db.Answers.AsNoTracking().Where(a => a.AuditId == auditId);
        if (filter.Engine is { Length: > 0 } engine)
            answers = answers.Where(a => a.Engine == engine);
        if (filter.Query is { Length: > 0 } query)
            answers = answers.Where(a => a.QueryId == query);
        if (filter.Outcome is { Length: > 0 } outcome)
            answers = answers.Where(a => a.Outcome == outcome);
        if (filter.Brand is { Length: > 0 } brand)
        {
            var named = "\n" + brand + "\n";
            answers = answers.Where(a => a.Brands.Contains(named));
        }

        // Fields of the description have no columns of their own: within one audit they are found in its JSON, and checked once it is read.
        if (filter.Reason is { Length: > 0 } reason)
            answers = Holding(answers, new { reason });
        if (filter.Category is { Length: > 0 } category)
            answers = Holding(answers, new { category });
        if (filter.Domain is { Length: > 0 } domain)
            answers = Holding(answers, new { domain });
        answers = answers.OrderBy(a => a.QueryId).ThenBy(a => a.Engine).ThenBy(a => a.Run);
        if (filter.Metric is not { Length: > 0 } metric)
        {
            if (filter.Domain is not { Length: > 0 })
            {
                var total = await answers.CountAsync(cancellationToken);
                var rows = await answers.Skip((page - 1) * pageSize).Take(pageSize).ToListAsync(cancellationToken);
                return new Paged<AnswerSummary>([.. rows.Select(Describe)], page, pageSize, total);
            }

            metric = "";
        }

        var of = filter.Of is { Length: > 0 } whose ? whose : await db.Audits.AsNoTracking().Where(a => a.AuditId == auditId).Select(a => a.Brand).SingleOrDefaultAsync(cancellationToken) ?? "";
        List<AnswerSummary> found = [];
        await foreach (var row in answers.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            var summary = Describe(row);
            if (filter.Domain is { Length: > 0 } cited && !summary.Answer.Citations.Any(c => c.Cited && c.Domain == cited))
                continue;
            if (metric.Length > 0)
            {
                var counts = MetricEvidence.Counts(metric, of, summary.Answer);
                if (counts is null || (filter.Counts == "yes" && counts == false) || (filter.Counts == "no" && counts == true))
                    continue;
                summary = summary with { Counts = counts };
            }

            found.Add(summary);
        }

        return new Paged<AnswerSummary>([.. found.Skip((page - 1) * pageSize).Take(pageSize)], page, pageSize, found.Count);
    }

    static IQueryable<AnswerRow> Holding(IQueryable<AnswerRow> answers, object property)
    {
        var written = JsonSerializer.Serialize(property, AssayJson.Options)[1..^1];
        return answers.Where(a => a.Json.Contains(written));
    }

    public async Task<AnswerDetail?> ReadAsync(Guid auditId, string callKey, CancellationToken cancellationToken)
    {
        var row = await db.Answers.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == auditId && a.CallKey == callKey, cancellationToken);
        if (row is null)
            return null;
        var summary = Describe(row);
        var text = summary.Answer.TextLength == 0 ? null : (await reports.TextsAsync(auditId, [callKey], cancellationToken)).GetValueOrDefault(callKey);
        return new AnswerDetail(auditId, row.Engine, row.EngineKind, row.Simulated, row.Attempt, summary.Answer, text?.Text, text?.Sources ?? [], await OpinionAsync(auditId, callKey, cancellationToken));
    }

    /// <summary>The answer as far as the read model has it, for when the Analyzer does not answer.</summary>
    public async Task<AnswerDetail?> ReadWithoutTextAsync(Guid auditId, string callKey, CancellationToken cancellationToken)
    {
        var row = await db.Answers.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == auditId && a.CallKey == callKey, cancellationToken);
        return row is null ? null : new AnswerDetail(auditId, row.Engine, row.EngineKind, row.Simulated, row.Attempt, Describe(row).Answer, null, [], await OpinionAsync(auditId, callKey, cancellationToken));
    }

    async Task<JudgeOpinion?> OpinionAsync(Guid auditId, string callKey, CancellationToken cancellationToken) =>
        AuditJson.Read<AnswersJudged>(await db.Judgements.AsNoTracking().Where(j => j.AuditId == auditId).Select(j => j.Json).SingleOrDefaultAsync(cancellationToken))?.Opinions.FirstOrDefault(opinion => opinion.CallKey == callKey);

    static AnswerSummary Describe(AnswerRow row) => new(row.Engine, row.EngineKind, row.Simulated, row.Attempt, JsonSerializer.Deserialize<DescribedAnswer>(row.Json, AssayJson.Options)!);
}
