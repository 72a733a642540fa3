using System.Diagnostics;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.AuditSaga.Spending;

/// <summary>Inside redelivery and retry, before inbox and saga: reports of money end here, unless there is something to tell a person.</summary>
sealed class BudgetReportFilter(IServiceScopeFactory scopes) : IFilter<ConsumeContext<BudgetReported>>
{
    public async Task Send(ConsumeContext<BudgetReported> context, IPipe<ConsumeContext<BudgetReported>> next)
    {
        // Money beyond a reservation raises an alert, in one transaction with the note: that is the machine's.
        if (context.Message.OverrunMicroUsd > 0)
        {
            await next.Send(context);
            return;
        }

        var began = Stopwatch.GetTimestamp();
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<SpendingNotes>().KeepAsync(context.Message, context.CancellationToken);
        await context.NotifyConsumed(context, Stopwatch.GetElapsedTime(began), nameof(BudgetReportFilter));
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("budgetReports");
}
