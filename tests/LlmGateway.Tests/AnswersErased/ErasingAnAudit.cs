using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;

namespace Assay.LlmGateway.AnswersErased;

[Trait("Needs", "Servers")]
public sealed class ErasingAnAudit
{
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_keep_amounts_and_hashes_and_nothing_that_was_asked_or_answered(DatabaseProvider provider)
    {
        var late = new TaskCompletionSource();
        var engine = new TestEngine
        {
            Behaviour = async (query, _, ct) =>
            {
                if (query == "late")
                    await late.Task.WaitAsync(ct);
                return TestEngine.Answer(query);
            },
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var (erased, kept) = (Requests.Audit(["one", "late"]), Requests.Audit(["one"]));
        await gateway.OpenAsync(Requests.Open(kept));
        await gateway.AskAsync(Requests.Ask(kept));
        await gateway.OpenAsync(Requests.Open(erased));
        await gateway.Bus.Publish(Requests.Ask(erased));
        await UntilAsync(gateway, calls => calls.Any(call => call.AuditId == erased.AuditId && call.State == CallStates.Answered) && calls.Any(call => call.State == CallStates.Sending));
        await gateway.Bus.Publish(new CloseBudgetMessage { AuditId = erased.AuditId, Attempt = 1, Reason = "test" });
        await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(database => database.AuditBudgets.Where(budget => budget.AuditId == erased.AuditId).Select(budget => budget.State).SingleAsync()), state => state == BudgetStates.Closed);

        await gateway.Bus.Publish(new Contracts.Internal.Analyzer.AnswersErased { AuditId = erased.AuditId, Answers = 2 });
        await UntilAsync(gateway, calls => calls.Where(call => call.AuditId == erased.AuditId).All(call => !call.RequestJson.Contains("one", StringComparison.Ordinal) && !call.RequestJson.Contains("late", StringComparison.Ordinal)));
        late.SetResult();
        await UntilAsync(gateway, calls => calls.All(call => call.State == CallStates.Answered));

        var calls = await CallsAsync(gateway);
        calls.Where(call => call.AuditId == erased.AuditId).ShouldAllBe(call => call.Text == null && call.SourcesJson == null && call.TextHash != null && call.SpentMicroUsd > 0 && call.RequestJson == """{"text":"","purpose":"erased"}""");
        calls.Single(call => call.AuditId == kept.AuditId).ShouldSatisfyAllConditions(call => call.Text.ShouldBe("one"), call => call.RequestJson.ShouldContain("one"));
        await gateway.ShouldBalanceAsync();
    }

    static Task<List<PaidCall>> CallsAsync(GatewayHost gateway) => gateway.QueryAsync(database => database.PaidCalls.AsNoTracking().ToListAsync());

    static Task UntilAsync(GatewayHost gateway, Func<List<PaidCall>, bool> reached) => GatewayHost.EventuallyAsync(() => CallsAsync(gateway), reached);
}
