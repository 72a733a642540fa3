using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Integrity;

/// <summary>
/// Compares a page of audits with what the other services answer of them. Databases are never shared: each service shows its own facts. The
/// read model is told what to put right; saga, ledger and analysis are only reported.
/// </summary>
sealed class IntegrityComparison(
    AuditSagaDbContext database, IDbContextOutbox<AuditSagaDbContext> outbox, IRequestClient<GetLedgerFacts> ledger, IRequestClient<GetAnalysisFacts> analysis,
    IRequestClient<GetReadModelFacts> readModel, IOptions<AuditSagaOptions> options, AuditSagaMetrics metrics, TimeProvider clock)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<IntegrityPage> CompareAsync(string? from, int pageSize, bool repair, CancellationToken cancellationToken)
    {
        var cursor = IntegrityCursor.Parse(from);
        var size = Math.Clamp(pageSize, 1, CheckIntegrity.MaxPageSize);
        var page = cursor.Whose switch
        {
            IntegrityCursor.Audits => await CompareAuditsAsync(cursor, size, repair, cancellationToken),
            IntegrityCursor.Ledger => await FindUnknownAsync(cursor, size, IntegrityKinds.LedgerUnknown, "LlmGateway",
                await AskAsync<GetLedgerFacts, LedgerFacts>(ledger, new() { After = cursor.After, Limit = size }, cancellationToken), facts => [.. facts.Audits.Select(fact => fact.AuditId)], cancellationToken),
            IntegrityCursor.Analysis => await FindUnknownAsync(cursor, size, IntegrityKinds.AnalysisUnknown, "Analyzer",
                await AskAsync<GetAnalysisFacts, AnalysisFacts>(analysis, new() { After = cursor.After, Limit = size }, cancellationToken), facts => [.. facts.Audits.Select(fact => fact.AuditId)], cancellationToken),
            _ => await FindUnknownAsync(cursor, size, IntegrityKinds.ReadModelUnknown, "Dashboard",
                await AskAsync<GetReadModelFacts, ReadModelFacts>(readModel, new() { After = cursor.After, Limit = size }, cancellationToken), facts => [.. facts.Audits.Select(fact => fact.AuditId)], cancellationToken),
        };
        foreach (var difference in page.Differences)
            metrics.Differs(difference.Kind);
        return page;
    }

    async Task<IntegrityPage> CompareAuditsAsync(IntegrityCursor cursor, int size, bool repair, CancellationToken cancellationToken)
    {
        var after = cursor.After;
        var now = clock.GetUtcNow().UtcDateTime;
        var page = await ReadAsync(after, size, cancellationToken);
        var settled = page.Where(saga => IntegrityRules.IsSettled(saga, now, options.Value.IntegritySettle)).ToArray();
        Guid[] ids = [.. settled.Select(saga => saga.AuditId)];

        var asking = (Ledger: AskAsync<GetLedgerFacts, LedgerFacts>(ledger, new() { AuditIds = ids, Limit = size }, cancellationToken),
            Analysis: AskAsync<GetAnalysisFacts, AnalysisFacts>(analysis, new() { AuditIds = ids, Limit = size }, cancellationToken),
            Shown: AskAsync<GetReadModelFacts, ReadModelFacts>(readModel, new() { AuditIds = ids, Limit = size }, cancellationToken));
        var ledgers = await asking.Ledger is { } l ? new Answered<LedgerFact>(l.Audits.ToDictionary(fact => fact.AuditId)) : null;
        var analyses = await asking.Analysis is { } a ? new Answered<AnalysisFact>(a.Audits.ToDictionary(fact => fact.AuditId)) : null;
        var shown = await asking.Shown is { } s ? new Answered<ReadModelFact>(s.Audits.ToDictionary(fact => fact.AuditId)) : null;

        var differences = new List<IntegrityDifference>();
        foreach (var saga in settled)
        {
            var found = IntegrityRules.Compare(saga, ledgers, analyses, shown).ToArray();
            differences.AddRange(found);
            if (repair && found.Any(difference => difference.Repaired))
                await RepairAsync(saga.AuditId, ledgers?.Of(saga.AuditId), found, cancellationToken);
        }

        await outbox.SaveChangesAsync(cancellationToken);
        return new IntegrityPage
        {
            Checked = settled.Length,
            Unsettled = page.Count - settled.Length,
            Differences = differences,
            Unanswered = [.. new[] { ledgers is null ? "LlmGateway" : null, analyses is null ? "Analyzer" : null, shown is null ? "Dashboard" : null }.OfType<string>()],
            Next = cursor.Then([.. page.Select(saga => saga.AuditId)], size),
            CheckedAt = now,
        };
    }

    /// <summary>A page of the saga's own facts. Of the JSON columns only those of completed audits are read: one unreadable row must not end the comparison.</summary>
    async Task<IReadOnlyList<SagaFact>> ReadAsync(Guid after, int size, CancellationToken cancellationToken)
    {
        var rows = await database.Audits.AsNoTracking().Where(audit => audit.CorrelationId > after).OrderBy(audit => audit.CorrelationId).Take(size)
            .Select(audit => new
            {
                audit.CorrelationId, audit.Attempt, audit.CurrentState, audit.FailureReason, audit.AcceptedAt, audit.PanelHash, audit.SettledMicroUsd, audit.ReportedMicroUsd, audit.ScoreId, audit.EndedAt,
            })
            .ToArrayAsync(cancellationToken);
        Guid[] completed = [.. rows.Where(row => row.CurrentState == AuditStates.Completed).Select(row => row.CorrelationId)];
        var batches = await database.Audits.AsNoTracking().Where(audit => completed.Contains(audit.CorrelationId))
            .Select(audit => new { audit.CorrelationId, audit.BatchIds })
            .ToDictionaryAsync(audit => audit.CorrelationId, audit => audit.BatchIds, cancellationToken);
        return
        [
            .. rows.Select(row => new SagaFact(row.CorrelationId, row.Attempt, row.CurrentState, row.FailureReason, row.AcceptedAt is not null, row.PanelHash.Length > 0,
                Math.Max(row.SettledMicroUsd, row.ReportedMicroUsd), row.ScoreId, batches.GetValueOrDefault(row.CorrelationId) ?? [], row.EndedAt)),
        ];
    }

    async Task RepairAsync(Guid auditId, LedgerFact? spending, IReadOnlyList<IntegrityDifference> found, CancellationToken cancellationToken)
    {
        var audit = await database.Audits.AsNoTracking().SingleAsync(row => row.CorrelationId == auditId, cancellationToken);
        // A retry may have begun since; then there is no end to tell, and its own messages tell the truth.
        if (audit.IsLive)
            return;
        var request = await database.AuditRequests.AsNoTracking().FirstOrDefaultAsync(row => row.AuditId == audit.CorrelationId, cancellationToken);
        var steps = await database.AuditTransitions.AsNoTracking().Where(step => step.AuditId == audit.CorrelationId).OrderBy(step => step.Sequence).ToArrayAsync(cancellationToken);
        await outbox.Publish(new RepairReadModel
        {
            AuditId = audit.CorrelationId,
            Attempt = audit.Attempt,
            Registered = request is null ? null : audit.Registered(request.Request),
            Accepted = audit.AcceptedAt is null ? null : audit.Accepted(),
            Transitions = [.. steps.Select(step => audit.Told(step))],
            Completed = audit.CurrentState == AuditStates.Completed ? audit.Completed() : null,
            Failed = audit.CurrentState == AuditStates.Failed ? audit.Failed() : null,
            Cancelled = audit.CurrentState == AuditStates.Cancelled ? audit.Cancelled() : null,
            Rejected = audit.CurrentState == AuditStates.Rejected ? audit.Rejected() : null,
            EarlierEnds = EarlierAttempts.EndsOf(steps, audit.Attempt),
            SpentMicroUsd = spending?.SpentMicroUsd,
            Pieces = audit.AcceptedAt is not null && found.Any(difference => difference.Kind is IntegrityKinds.ReadModelMissing or IntegrityKinds.ResultShownDiffers),
        }, cancellationToken);
    }

    async Task<IntegrityPage> FindUnknownAsync<T>(IntegrityCursor cursor, int size, string kind, string service, T? answer, Func<T, IReadOnlyList<Guid>> idsOf, CancellationToken cancellationToken) where T : class
    {
        var ids = answer is null ? [] : idsOf(answer);
        var known = await database.Audits.AsNoTracking().Where(audit => ids.Contains(audit.CorrelationId)).Select(audit => audit.CorrelationId).ToArrayAsync(cancellationToken);
        var pruned = await database.AuditTombstones.AsNoTracking().Where(gone => ids.Contains(gone.AuditId)).Select(gone => gone.AuditId).ToArrayAsync(cancellationToken);
        return new IntegrityPage
        {
            Checked = 0,
            Unsettled = 0,
            Differences =
            [
                .. ids.Except(known).Except(pruned).Select(id => new IntegrityDifference
                {
                    AuditId = id,
                    Kind = kind,
                    Detail = $"{service} holds it, but the saga never knew it; was the saga restored to an earlier point?",
                    Repaired = false,
                }),
            ],
            Unanswered = answer is null ? [service] : [],
            Next = cursor.Then(ids, size),
            CheckedAt = clock.GetUtcNow().UtcDateTime,
        };
    }

    /// <summary>Null if the service did not answer in time: then nothing is compared with it.</summary>
    static async Task<TFacts?> AskAsync<TQuestion, TFacts>(IRequestClient<TQuestion> client, TQuestion question, CancellationToken cancellationToken) where TQuestion : class where TFacts : class
    {
        try
        {
            return (await client.GetResponse<TFacts>(question, cancellationToken, Patience)).Message;
        }
        catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
        {
            return null;
        }
    }
}
