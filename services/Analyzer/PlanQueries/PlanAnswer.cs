using Assay.Analyzer.Database;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.PlanQueries;

/// <summary>What the advisor's answer makes of an open plan.</summary>
static class PlanAnswer
{
    /// <summary>Settles the plan that waits for this batch; null if none does: the plan stands, or a later attempt asked anew.</summary>
    public static async Task<QueriesPlanned?> SettleAsync(AnalyzerDbContext db, EngineAnswered message, DateTime now, CancellationToken cancellationToken)
    {
        var plan = await db.Plans.SingleOrDefaultAsync(x => x.OpenBatchId == message.BatchId, cancellationToken);
        if (plan is null)
            return null;
        var subject = await db.Subjects.FindAsync([plan.AuditId], cancellationToken)
            ?? throw new InvalidOperationException($"Cannot settle the plan of audit {plan.AuditId} with batch {message.BatchId}: its subject row is missing. Retry the audit.");

        var request = subject.ReadRequest();
        var tracked = TrackedBrands.Of(request);
        var panel = Decide(request, message.Answers, tracked.AreNamedIn);
        plan.Settle(panel.Source, panel.Queries, message.Answers.Where(answer => !answer.Reused).Sum(answer => answer.CostMicroUsd), now);
        return plan.ToMessage(plan.Attempt, request, tracked);
    }

    /// <summary>An unusable answer gives a panel of templates: an audit never fails for want of an advisor.</summary>
    internal static Panel Decide(RequestAudit request, IReadOnlyList<EngineAnswer> answers, Func<string, bool> namesTrackedBrand) =>
        QueryPlanner.Plan(
            request,
            [.. answers.Where(answer => answer.State == CallStates.Answered).SelectMany(answer => PlanPrompt.Read(answer.Text))],
            namesTrackedBrand);
}
