using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;
using AskEngineMessage = Assay.Contracts.Internal.LlmGateway.AskEngine;

namespace Assay.LlmGateway.Pump;

/// <summary>An instance that is alone reserves and owns calls in the transaction that asks them.</summary>
[Trait("Needs", "Servers")]
public sealed class OwningFromTheStart
{
    static readonly string[] Queries = Requests.Queries(20);

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_reserve_what_is_asked_with_the_asking(DatabaseProvider provider)
    {
        var (engine, answer) = Holding(concurrency: 2);
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        await WarmUpAsync(gateway);
        answer.Reset();
        var (request, asked) = await AskAsync(gateway, ceilingUsd: 5);

        var owned = await OwnedAsync(gateway, request.AuditId);
        await gateway.ShouldBalanceAsync();
        answer.Set();

        owned.ShouldBe(Queries.Length, "each call is this instance's from the start");
        (await gateway.AnsweredAsync(asked)).Answers.ShouldAllBe(answered => answered.State == CallStates.Answered && answered.PaidTries == 1);
        await gateway.CloseAsync(request.AuditId);
        (await gateway.SpendingAsync(Scopes.Audit(request.AuditId))).ReservedMicroUsd.ShouldBe(0);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_claim_a_little_at_a_time_where_money_is_short(DatabaseProvider provider)
    {
        var (engine, answer) = Holding(concurrency: 2);
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        await WarmUpAsync(gateway);
        answer.Reset();
        var (request, asked) = await AskAsync(gateway, ceilingUsd: 0.02m);

        var owned = await OwnedAsync(gateway, request.AuditId);
        answer.Set();

        owned.ShouldBeLessThan(Queries.Length, "an engine that hangs leaves the others their part of the ceiling");
        (await gateway.AnsweredAsync(asked)).Answers.ShouldAllBe(answered => answered.State == CallStates.Answered);
        await gateway.ShouldBalanceAsync();
    }

    /// <summary>Its sweep, which would find what nobody ended, comes once an hour.</summary>
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_end_a_batch_with_its_last_call_however_its_calls_end(DatabaseProvider provider)
    {
        var engine = new TestEngine(concurrency: 8)
        {
            Behaviour = async (query, number, ct) =>
            {
                // The last of all: what was to be asked again has been by then.
                if (query == Queries[4])
                    await Task.Delay(500, ct);
                return (query[^1], number) switch
                {
                    ('1', 1) => TestEngine.Busy(),
                    ('2', 1) => TestEngine.Unreadable,
                    ('3', _) => TestEngine.Unknown,
                    ('4', _) => TestEngine.Rejected,
                    _ => TestEngine.Answer(query),
                };
            },
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("LlmGateway:SweepInterval", "01:00:00"), ("LlmGateway:FirstBackoff", "00:00:00.020"), ("LlmGateway:BreakerMinimumThroughput", "1000"));
        await WarmUpAsync(gateway);
        var request = Requests.Audit(Queries, inDoubt: InDoubtPolicies.AskAgain);
        await gateway.OpenAsync(Requests.Open(request));

        var ended = await Task.WhenAll(Queries.Chunk(5).Select(queries => gateway.AskAsync(Requests.Ask(request, queries: queries))));

        ended.SelectMany(answered => answered.Answers).Select(answer => answer.State).ToHashSet().ShouldBe([CallStates.Answered, CallStates.Empty, CallStates.InDoubt, CallStates.Declined], ignoreOrder: true);
        engine.Received.Count(received => received.Query == Queries[2]).ShouldBe(2, "a call in doubt was claimed and asked again");
        await gateway.ShouldBalanceAsync();
    }

    /// <summary>Its own calls are all decided, by the count, while one that an earlier batch asks is still on the wire.</summary>
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_not_end_a_batch_before_a_call_that_another_batch_asks(DatabaseProvider provider)
    {
        var answer = new Gate();
        var engine = new TestEngine(concurrency: 8)
        {
            Behaviour = async (query, _, ct) =>
            {
                if (query == Queries[0])
                    await answer.PassAsync(ct);
                return TestEngine.Answer(query);
            },
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        await WarmUpAsync(gateway);
        answer.Reset();
        var request = Requests.Audit(Queries);
        await gateway.OpenAsync(Requests.Open(request));
        var (first, second) = (Requests.Ask(request, queries: Queries[..1]), Requests.Ask(request, queries: Queries[..3]));
        await gateway.Bus.Publish(first);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(engine.Received.Count(received => received.Query == Queries[0])), received => received == 1);
        await gateway.Bus.Publish(second);
        await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(ledger => ledger.PaidCalls.CountAsync(call => call.AuditId == request.AuditId && call.State == CallStates.Answered)), answered => answered == 2);
        var open = await gateway.QueryAsync(ledger => ledger.Batches.CountAsync(batch => batch.AuditId == request.AuditId && batch.FinishedAt == null));
        answer.Set();

        (await gateway.AnsweredAsync(first)).Answers.ShouldHaveSingleItem().State.ShouldBe(CallStates.Answered);
        (await gateway.AnsweredAsync(second)).Answers.Select(answered => answered.State).ShouldBe([CallStates.Answered, CallStates.Answered, CallStates.Answered]);
        open.ShouldBe(2);
        engine.Received.Count(received => received.Query == Queries[0]).ShouldBe(1);
        await gateway.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Should_share_with_an_instance_that_joins()
    {
        var first = new TestEngine(concurrency: 4) { Behaviour = SlowlyAsync };
        var second = new TestEngine(concurrency: 4) { Behaviour = SlowlyAsync };
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.PostgreSql, first);
        await WarmUpAsync(gateway);
        var request = Requests.Audit(Requests.Queries(400));
        await gateway.OpenAsync(Requests.Open(request));
        foreach (var message in Requests.AskAll(request))
            await gateway.Bus.Publish(message);
        await GatewayHost.EventuallyAsync(() => OwnedAsync(gateway, request.AuditId), owned => owned > 300);

        await using var other = await GatewayHost.StartOnAsync(gateway.Database, second);

        await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(ledger => ledger.PaidCalls.CountAsync(call => call.AuditId == request.AuditId && call.State == CallStates.Answered)), answered => answered == 400);
        second.Received.Count.ShouldBeGreaterThan(20);
        first.Received.Concat(second.Received).GroupBy(received => received.Key).ShouldAllBe(calls => calls.Count() == 1);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_forget_what_a_closed_audit_has_not_sent(DatabaseProvider provider)
    {
        var (engine, answer) = Holding(concurrency: 1);
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        await WarmUpAsync(gateway);
        var before = engine.Received.Count;
        answer.Reset();
        var (request, _) = await AskAsync(gateway, ceilingUsd: 5);
        await GatewayHost.EventuallyAsync(() => Task.FromResult(engine.Received.Count), received => received > before);
        await gateway.Bus.Publish(new CloseBudgetMessage { AuditId = request.AuditId, Attempt = 1, Reason = "test" });
        await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(ledger => ledger.AuditBudgets.AsNoTracking().SingleAsync(budget => budget.AuditId == request.AuditId)), budget => budget.State == BudgetStates.Closed);

        answer.Set();
        var (other, asked) = await AskAsync(gateway, ceilingUsd: 5);
        (await gateway.AnsweredAsync(asked)).Answers.ShouldAllBe(answered => answered.State == CallStates.Answered);

        engine.Received.Count.ShouldBe(before + 1 + Queries.Length, "one was on the wire when its audit was closed");
        await gateway.CloseAsync(other.AuditId);
        (await gateway.SpendingAsync(Scopes.Audit(request.AuditId))).ReservedMicroUsd.ShouldBe(0);
        await gateway.ShouldBalanceAsync();
    }

    /// <summary>An instance that has just registered does not know yet that it is alone.</summary>
    static async Task WarmUpAsync(GatewayHost gateway)
    {
        var request = Requests.Audit(["warm"]);
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.AskAsync(Requests.Ask(request));
        await gateway.CloseAsync(request.AuditId);
    }

    static async Task<(RequestAudit Request, AskEngineMessage Asked)> AskAsync(GatewayHost gateway, decimal ceilingUsd)
    {
        var request = Requests.Audit(Queries, ceilingUsd: ceilingUsd);
        await gateway.OpenAsync(Requests.Open(request));
        var asked = Requests.Ask(request);
        await gateway.Bus.Publish(asked);
        await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(ledger => ledger.Batches.CountAsync(batch => batch.BatchId == asked.BatchId)), batches => batches == 1);
        return (request, asked);
    }

    static Task<int> OwnedAsync(GatewayHost gateway, Guid auditId) => gateway.QueryAsync(ledger => ledger.PaidCalls.CountAsync(call => call.AuditId == auditId && call.Owner != null && call.ReservedMicroUsd > 0));

    /// <summary>An engine that answers while its gate is open.</summary>
    static (TestEngine Engine, Gate Answer) Holding(int concurrency)
    {
        var gate = new Gate();
        return (new TestEngine(concurrency) { Behaviour = async (query, _, ct) =>
        {
            await gate.PassAsync(ct);
            return TestEngine.Answer(query);
        } }, gate);
    }

    static async Task<EngineOutcome> SlowlyAsync(string query, int number, CancellationToken cancellationToken)
    {
        await Task.Delay(100, cancellationToken);
        return TestEngine.Answer(query);
    }

    sealed class Gate
    {
        TaskCompletionSource _open = Opened();

        public void Reset() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Set() => _open.TrySetResult();

        public Task PassAsync(CancellationToken cancellationToken) => _open.Task.WaitAsync(cancellationToken);

        static TaskCompletionSource Opened()
        {
            var open = new TaskCompletionSource();
            open.SetResult();
            return open;
        }
    }
}
