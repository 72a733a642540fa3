using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.OpenBudget;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Quote;

/// <summary>Answers what an audit would cost, by the count that admission uses. Reads only: no inbox, no outbox.</summary>
sealed class QuoteAuditConsumer(LlmGatewayDbContext database, IEngineCatalog engines, IOptions<LlmGatewayOptions> options, TimeProvider time) : IConsumer<QuoteAudit>
{
    /// <summary>So many settled tries of a model make experience.</summary>
    const int EnoughExperience = 20;

    public async Task Consume(ConsumeContext<QuoteAudit> context)
    {
        var request = context.Message.Audit;
        if (AuditRequestRules.Check(request) is { Count: > 0 } problems)
        {
            await context.RespondAsync(Answer(context.Message, EmptyPlan, 0, RejectionReasons.InvalidRequest, string.Join("; ", problems)));
            return;
        }

        var plan = AuditPlan.Of(request, engines, options.Value);
        var refusal = BudgetJudgement.OfPlan(plan, MicroUsd.FromUsd(request.CeilingUsd), spentMicroUsd: 0, isRetry: false) ?? await JudgeMoneyAsync(plan, request, context.CancellationToken);
        await context.RespondAsync(Answer(context.Message, plan, await ExpectedAsync(plan, context.CancellationToken), refusal?.Reason, refusal?.Detail));
    }

    async Task<Refusal?> JudgeMoneyAsync(AuditPlan plan, RequestAudit request, CancellationToken cancellationToken)
    {
        var halt = await database.Halts.AsNoTracking().SingleAsync(cancellationToken);
        if (halt.Halted != 0)
            return BudgetJudgement.Halted(halt.Reason!);
        var scope = Scopes.Day(Scopes.DayOf(time.GetUtcNow().UtcDateTime));
        var day = await database.Spending.AsNoTracking().FirstOrDefaultAsync(row => row.Scope == scope, cancellationToken);
        var needed = Math.Min(MicroUsd.FromUsd(request.CeilingUsd), plan.WorstCaseMicroUsd);
        var ceiling = MicroUsd.FromUsd(options.Value.DailyCeilingUsd);
        return needed <= ceiling - (day?.SpentMicroUsd ?? 0) ? null : BudgetJudgement.SpentOut(scope, ceiling, day?.SpentMicroUsd ?? 0, needed);
    }

    async Task<long> ExpectedAsync(AuditPlan plan, CancellationToken cancellationToken)
    {
        long expected = 0;
        foreach (var part in plan.Parts)
        {
            var (engine, model, purpose) = (part.Engine.Name, part.Engine.Model, part.Purpose);
            var recent = await database.PaidCalls.AsNoTracking()
                .Where(call => call.Engine == engine && call.Model == model && call.Purpose == purpose && call.State == "Answered")
                .OrderByDescending(call => call.AnsweredAt).Take(200).Select(call => call.SpentMicroUsd).ToListAsync(cancellationToken);
            expected += recent.Count < EnoughExperience ? part.TypicalMicroUsd : (long)Math.Ceiling(recent.Average() * part.Calls);
        }

        return expected;
    }

    static AuditPlan EmptyPlan { get; } = new() { Parts = [], UnknownEngines = [], Queries = 0, CheapestCallMicroUsd = 0 };

    static AuditQuoted Answer(QuoteAudit question, AuditPlan plan, long expected, string? refusal, string? detail) => new()
    {
        AuditId = question.AuditId,
        Calls = plan.Calls,
        WorstCaseUsd = MicroUsd.ToUsd(plan.WorstCaseMicroUsd),
        ExpectedUsd = MicroUsd.ToUsd(Math.Min(expected, plan.WorstCaseMicroUsd)),
        ExpectedHalfWidth = plan.ExpectedHalfWidth,
        FitsCeiling = question.Audit is not null && plan.WorstCaseMicroUsd <= (question.Audit.CeilingUsd > 0 ? MicroUsd.FromUsd(Math.Min(question.Audit.CeilingUsd, 1_000_000)) : 0),
        Refusal = refusal,
        RefusalDetail = detail,
        Engines =
        [
            .. plan.Parts.GroupBy(part => part.Engine.Name, StringComparer.Ordinal).Select(parts => new QuotedEngine
            {
                Engine = parts.Key,
                Kind = parts.First().Engine.Kind,
                Model = parts.First().Engine.Model,
                Simulated = parts.First().Engine.Simulated,
                Calls = parts.Sum(part => part.Calls),
                WorstCaseUsd = MicroUsd.ToUsd(parts.Sum(part => part.WorstCaseMicroUsd)),
            }),
        ],
    };
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class QuoteAuditConsumerDefinition : ConsumerDefinition<QuoteAuditConsumer>;
