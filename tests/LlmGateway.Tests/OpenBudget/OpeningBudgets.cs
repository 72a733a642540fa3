using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;

namespace Assay.LlmGateway.OpenBudget;

public sealed class OpeningBudgets
{
    [Fact]
    public async Task Should_refuse_an_engine_that_is_not_configured()
    {
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.Sqlite, new TestEngine());

        var refused = (await gateway.OpenAsync(Requests.Open(Requests.Audit(["q"], engines: ["test", "gpt9"])))).ShouldBeOfType<BudgetRefused>();

        refused.Reason.ShouldBe(RejectionReasons.UnknownEngine);
        refused.Detail.ShouldContain("gpt9");
    }

    [Fact]
    public async Task Should_refuse_a_ceiling_below_the_cheapest_call()
    {
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.Sqlite, new TestEngine());

        (await gateway.OpenAsync(Requests.Open(Requests.Audit(["q"], ceilingUsd: 0.0001m)))).ShouldBeOfType<BudgetRefused>().Reason.ShouldBe(RejectionReasons.CeilingTooLow);
    }

    [Fact]
    public async Task Should_refuse_a_retry_whose_engine_has_changed()
    {
        var database = GatewayHost.NewSqlite();
        var request = Requests.Audit(["q"]);
        await using (var gateway = await GatewayHost.StartOnAsync(database, new TestEngine()))
        {
            await gateway.OpenAsync(Requests.Open(request));
            await gateway.CloseAsync(request.AuditId);
        }

        await using var changed = await GatewayHost.StartOnAsync(database, new TestEngine(parameters: "p2"));
        (await changed.OpenAsync(Requests.Open(request, attempt: 2))).ShouldBeOfType<BudgetRefused>().Reason.ShouldBe(RejectionReasons.EngineChanged);
    }

    [Fact]
    public async Task Should_answer_a_repeated_request_with_what_was_decided()
    {
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.Sqlite, new TestEngine());
        var open = Requests.Open(Requests.Audit(["q"]));
        var first = (BudgetOpened)await gateway.OpenAsync(open);

        await gateway.Bus.Publish(open);
        var both = await GatewayHost.EventuallyAsync(() => gateway.Of<BudgetOpened>(open.AuditId) is { Count: 2 } two ? two : null);

        both[1].LedgerSequence.ShouldBe(first.LedgerSequence);
        await gateway.ShouldBalanceAsync();
    }

    [Trait("Needs", "Servers")]
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_let_fifty_audits_share_a_day_that_pays_for_twenty(DatabaseProvider provider)
    {
        // One call may cost 1 000 micro-dollars and something; an audit of 5 calls about 5 000. The day pays for twenty such.
        var engine = new TestEngine(concurrency: 32, prices: new EnginePrices { OutputUsdPerMTok = 10 });
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("LlmGateway:DailyCeilingUsd", "0.1"));
        var audits = Enumerable.Range(0, 50).Select(_ => Requests.Audit(Requests.Queries(5))).ToList();

        var results = await Task.WhenAll(audits.Select(async request =>
        {
            if (await gateway.OpenAsync(Requests.Open(request)) is BudgetRefused refused)
                return (request.AuditId, Refused: refused, Answered: null);
            var answered = await gateway.AskAsync(Requests.Ask(request));
            await gateway.CloseAsync(request.AuditId);
            return (request.AuditId, Refused: (BudgetRefused?)null, Answered: (EngineAnswered?)answered);
        }));

        var completed = results.Where(result => result.Answered is { } answered && answered.Answers.All(answer => answer.State == CallStates.Answered)).ToList();
        completed.Count.ShouldBeGreaterThanOrEqualTo(20);
        results.Where(result => result.Refused is null).Count().ShouldBe(completed.Count, "who was let in was served");
        results.Where(result => result.Refused is not null).ShouldAllBe(result => result.Refused!.Reason == RejectionReasons.CeilingReached && gateway.Of<EngineAnswered>(result.AuditId).Count == 0);
        await gateway.ShouldBalanceAsync();
        var day = await gateway.SpendingAsync(Scopes.Day(Scopes.DayOf(DateTime.UtcNow)));
        day.SpentMicroUsd.ShouldBeLessThanOrEqualTo(day.CeilingMicroUsd);
        day.ReservedMicroUsd.ShouldBe(0);
        day.SpentMicroUsd.ShouldBe(engine.Received.Count * 100);
    }
}
