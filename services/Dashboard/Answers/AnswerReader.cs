using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Answers;

/// <summary>One answer in a list: everything but the text.</summary>
public sealed record AnswerSummary(string Engine, string EngineKind, bool Simulated, int Attempt, DescribedAnswer Answer);

/// <summary>One answer with its text.</summary>
public sealed record AnswerDetail(Guid AuditId, string Engine, string EngineKind, bool Simulated, int Attempt, DescribedAnswer Answer, string? Text, IReadOnlyList<Assay.Contracts.Internal.LlmGateway.AnswerSource> Sources);

/// <summary>What an answer list is narrowed to: each number of a report opens the answers behind it through this.</summary>
public sealed record AnswerFilter(string? Engine = null, string? Query = null, string? Outcome = null, string? Brand = null, string? Reason = null)
{
    public bool IsEmpty => new[] { Engine, Query, Outcome, Brand, Reason }.All(string.IsNullOrWhiteSpace);
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

        if (filter.Reason is { Length: > 0 } reason)
        {
            var named = JsonSerializer.Serialize(new { reason }, AssayJson.Options)[1..^1];
            answers = answers.Where(a => a.Json.Contains(named));
        }

        var total = await answers.CountAsync(cancellationToken);
        var rows = await answers.OrderBy(a => a.QueryId).ThenBy(a => a.Engine).ThenBy(a => a.Run).Skip((page - 1) * pageSize).Take(pageSize).ToListAsync(cancellationToken);
        return new Paged<AnswerSummary>([.. rows.Select(Describe)], page, pageSize, total);
    }

    public async Task<AnswerDetail?> ReadAsync(Guid auditId, string callKey, CancellationToken cancellationToken)
    {
        var row = await db.Answers.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == auditId && a.CallKey == callKey, cancellationToken);
        if (row is null)
            return null;
        var summary = Describe(row);
        var text = summary.Answer.TextLength == 0 ? null : (await reports.TextsAsync(auditId, [callKey], cancellationToken)).GetValueOrDefault(callKey);
        return new AnswerDetail(auditId, row.Engine, row.EngineKind, row.Simulated, row.Attempt, summary.Answer, text?.Text, text?.Sources ?? []);
    }

    /// <summary>The answer as far as the read model has it, for when the Analyzer does not answer.</summary>
    public async Task<AnswerDetail?> ReadWithoutTextAsync(Guid auditId, string callKey, CancellationToken cancellationToken)
    {
        var row = await db.Answers.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == auditId && a.CallKey == callKey, cancellationToken);
        return row is null ? null : new AnswerDetail(auditId, row.Engine, row.EngineKind, row.Simulated, row.Attempt, Describe(row).Answer, null, []);
    }

    static AnswerSummary Describe(AnswerRow row) => new(row.Engine, row.EngineKind, row.Simulated, row.Attempt, JsonSerializer.Deserialize<DescribedAnswer>(row.Json, AssayJson.Options)!);
}
