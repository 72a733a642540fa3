using Assay.Analyzer.Advisor;
using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.Analyzer.PlanQueries;

/// <summary>
/// Plans the panel of an audit, or gives a later attempt the panel that stands. A duplicate asks the advisor the same batch again,
/// which the gateway knows; a later attempt asks a new batch, whose paid answer the ledger reuses.
/// </summary>
sealed class PlanQueriesConsumer(AnalyzerDbContext db, TimeProvider time) : IConsumer<Contracts.Internal.Analyzer.PlanQueries>
{
    public async Task Consume(ConsumeContext<Contracts.Internal.Analyzer.PlanQueries> context)
    {
        var message = context.Message;
        var now = time.GetUtcNow().UtcDateTime;
        if (await db.Subjects.FindAsync([message.AuditId], context.CancellationToken) is null)
        {
            db.Subjects.Add(new SubjectRow
            {
                AuditId = message.AuditId,
                Brand = StorableText.Of(message.Request.Brand.Name),
                Locale = message.Request.Locale,
                Request = JsonColumn.Write(message.Request),
                CreatedAt = now,
            });
        }

        var plan = await db.Plans.FindAsync([message.AuditId], context.CancellationToken);
        if (plan is null)
        {
            plan = new PlanRow
            {
                AuditId = message.AuditId,
                PlanId = NewId.NextSequentialGuid(),
                PlannerVersion = QueryPlanner.Version,
                Attempt = message.Attempt,
                CreatedAt = now,
            };
            db.Plans.Add(plan);
        }

        if (!plan.IsPlanned)
            Decide(plan, message, now);

        if (plan.IsPlanned)
            await context.Publish(plan.ToMessage(message.Attempt, message.Request, TrackedBrands.Of(message.Request)));
        else if (plan.Attempt == message.Attempt)
        {
            await context.Publish(new AskEngine
            {
                AuditId = message.AuditId,
                Attempt = message.Attempt,
                BatchId = plan.OpenBatchId!.Value,
                Purpose = Purposes.Plan,
                Engine = AdvisorInput.Engine,
                DeadlineAt = message.DeadlineAt,
                Questions = [PlanPrompt.Build(message.Request)],
                Json = true,
                AskInDoubtAgain = message.AskInDoubtAgain,
            });
        }
    }

    /// <summary>Given queries and templates settle the plan at once; an advisor opens a batch, a later attempt a new one.</summary>
    internal static void Decide(PlanRow plan, Contracts.Internal.Analyzer.PlanQueries message, DateTime now)
    {
        var tracked = TrackedBrands.Of(message.Request);
        if (message.Request.Queries is { Count: > 0 })
            plan.Settle(PlanSources.Given, QueryPlanner.Given(message.Request, tracked.AreNamedIn), spentMicroUsd: 0, now);
        else if (!message.AdvisorAvailable && message.Attempt >= plan.Attempt)
        {
            plan.Attempt = message.Attempt;
            var panel = QueryPlanner.Plan(message.Request, [], tracked.AreNamedIn);
            plan.Settle(panel.Source, panel.Queries, spentMicroUsd: 0, now);
        }
        else if (plan.OpenBatchId is null || message.Attempt > plan.Attempt)
        {
            plan.Attempt = message.Attempt;
            plan.OpenBatchId = NewId.NextSequentialGuid();
            plan.Version++;
        }
    }
}

sealed class PlanQueriesConsumerDefinition : AssayConsumerDefinition<PlanQueriesConsumer, AnalyzerDbContext>
{
    // A crowd of audits that begin must leave connections to those that go on.
    public PlanQueriesConsumerDefinition() => ConcurrentMessageLimit = AssayDatabaseOptionsExtensions.MostConnections / 5;
}
