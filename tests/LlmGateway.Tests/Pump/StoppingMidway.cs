using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Halt;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.LlmGateway.Pump;

[Trait("Needs", "Servers")]
public sealed class StoppingMidway
{
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_send_nothing_after_the_budget_is_closed_and_still_record_what_was_on_the_wire(DatabaseProvider provider)
    {
        var gate = new TaskCompletionSource();
        var engine = new TestEngine(concurrency: 8);
        engine.Behaviour = async (query, _, _) =>
        {
            await gate.Task;
            return TestEngine.Answer(query);
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(Requests.Queries(40));
        await gateway.OpenAsync(Requests.Open(request));
        var ask = Requests.Ask(request);
        await gateway.Bus.Publish(ask);
        await GatewayHost.EventuallyAsync(() => engine.Received.Count == 8 ? engine : null);

        await gateway.Bus.Publish(new Contracts.Internal.LlmGateway.CloseBudget { AuditId = request.AuditId, Attempt = 1, Reason = "stalled" });
        await GatewayHost.EventuallyAsync(() => gateway.Of<BudgetReported>(request.AuditId).FirstOrDefault(report => !report.Final));
        await gateway.ShouldBalanceAsync();
        (await gateway.SpendingAsync(Scopes.Audit(request.AuditId))).ReservedMicroUsd.ShouldBeGreaterThan(0, "what is on the wire keeps its reservation");
        gate.SetResult();

        var answered = await gateway.AnsweredAsync(ask);
        engine.Received.Count.ShouldBe(8);
        answered.Answers.Count(answer => answer.State == CallStates.Answered).ShouldBe(8);
        answered.Answers.Count(answer => answer is { State: CallStates.Declined, Reason: CallReasons.AuditClosed }).ShouldBe(32);
        await GatewayHost.EventuallyAsync(() => gateway.Of<BudgetReported>(request.AuditId).FirstOrDefault(report => report.Final));
        await gateway.ShouldBalanceAsync();
        (await gateway.SpendingAsync(Scopes.Tree(request.AuditId))).ReservedMicroUsd.ShouldBe(0);
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_give_the_retry_that_waits_what_the_closed_attempt_left_unbilled(DatabaseProvider provider)
    {
        var gate = new TaskCompletionSource();
        var engine = new TestEngine(maxTries: 1);
        engine.Behaviour = async (query, tries, _) =>
        {
            if (tries > 1)
                return TestEngine.Answer(query);
            await gate.Task;
            return query == "busy" ? TestEngine.Busy() : query == "rejected" ? TestEngine.Rejected : TestEngine.Unknown;
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["busy", "rejected", "unknown"]);
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.Bus.Publish(Requests.Ask(request));
        await GatewayHost.EventuallyAsync(() => engine.Received.Count == 3 ? engine : null);
        (await gateway.OpenAsync(Requests.Open(request, attempt: 2, askInDoubtAgain: true))).ShouldBeOfType<BudgetOpened>();
        var retry = Requests.Ask(request, attempt: 2);
        await gateway.Bus.Publish(retry);
        await UntilAsync(() => gateway.QueryAsync(database => database.Batches.AnyAsync(batch => batch.BatchId == retry.BatchId)));
        gate.SetResult();

        (await gateway.AnsweredAsync(retry)).Answers.ShouldAllBe(answer => answer.State == CallStates.Answered);
        engine.Received.Count.ShouldBe(6);
        (await gateway.QueryAsync(database => database.PaidTries.CountAsync(attempt => attempt.Permitted == 1))).ShouldBe(1, "only the doubtful one needed the permission");
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_let_no_call_leave_after_the_halt_returned_and_go_on_after_resume(DatabaseProvider provider)
    {
        var engine = new TestEngine(concurrency: 64);
        engine.Behaviour = async (query, _, ct) =>
        {
            await Task.Delay(50, ct);
            return TestEngine.Answer(query);
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(Requests.Queries(600));
        await gateway.OpenAsync(Requests.Open(request));
        var asks = Requests.AskAll(request);
        foreach (var ask in asks)
            await gateway.Bus.Publish(ask);
        await GatewayHost.EventuallyAsync(() => engine.Received.Count >= 64 ? engine : null);

        var spending = gateway.Services.GetRequiredService<SpendingSwitch>();
        await spending.HaltAsync("test", "operator", CancellationToken.None);
        var atReturn = engine.Received.Count;
        atReturn.ShouldBeLessThan(600);
        var sending = await gateway.QueryAsync(database => database.PaidTries.CountAsync());
        await GatewayHost.EventuallyAsync(() => gateway.Of<BatchAlive>(request.AuditId).FirstOrDefault(alive => alive.WaitingFor == "spending to be resumed"));
        engine.Received.Count.ShouldBe(atReturn);
        (await gateway.QueryAsync(database => database.PaidTries.CountAsync())).ShouldBe(sending, "none turned Sending after the halt returned");
        (await gateway.OpenAsync(Requests.Open(Requests.Audit(["q"])))).ShouldBeOfType<BudgetRefused>().Reason.ShouldBe(RejectionReasons.SpendingHalted);

        await spending.ResumeAsync("test", "operator", CancellationToken.None);
        foreach (var ask in asks)
            (await gateway.AnsweredAsync(ask)).Answers.ShouldAllBe(answer => answer.State == CallStates.Answered);
        engine.Received.Count.ShouldBe(600);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_decline_at_the_deadline_what_waits_for_a_halt(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("LlmGateway:SweepInterval", "00:00:00.200"));
        var request = Requests.Audit(["one", "two"]);
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.Services.GetRequiredService<SpendingSwitch>().HaltAsync("test", "operator", CancellationToken.None);

        var answered = await gateway.AskAsync(Requests.Ask(request, deadlineAt: DateTime.UtcNow.AddSeconds(1)));

        answered.Answers.ShouldAllBe(answer => answer.State == CallStates.Declined && answer.Reason == CallReasons.DeadlinePassed);
        engine.Received.ShouldBeEmpty();
        await gateway.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Should_drain_the_wire_when_it_stops_and_give_the_rest_back()
    {
        var engine = new TestEngine(concurrency: 4);
        engine.Behaviour = async (query, _, ct) =>
        {
            await Task.Delay(300, ct);
            return TestEngine.Answer(query);
        };
        var database = await GatewayHost.NewPostgresAsync();
        var request = Requests.Audit(Requests.Queries(20));
        var ask = Requests.Ask(request);
        await using (var gateway = await GatewayHost.StartOnAsync(database, engine))
        {
            await gateway.OpenAsync(Requests.Open(request));
            await gateway.Bus.Publish(ask);
            await GatewayHost.EventuallyAsync(() => engine.Received.Count >= 4 ? engine : null);
            await gateway.StopAsync();

            var sent = engine.Received.Count;
            sent.ShouldBeLessThan(20);
        }

        engine.Behaviour = (query, _, _) => Task.FromResult(TestEngine.Answer(query));
        await using var next = await GatewayHost.StartOnAsync(database, engine);
        await next.ShouldBalanceAsync();
        var answered = await next.AnsweredAsync(ask);
        answered.Answers.ShouldAllBe(answer => answer.State == CallStates.Answered);
        engine.Received.Count.ShouldBe(20, "nothing was asked twice, nothing was lost");
        await next.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_keep_an_answer_that_comes_while_it_stops_and_ends_the_batch(DatabaseProvider provider)
    {
        var gate = new TaskCompletionSource();
        var engine = new TestEngine(concurrency: 1)
        {
            Behaviour = async (query, _, _) =>
            {
                await gate.Task;
                return TestEngine.Answer(query);
            },
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["the last question"]);
        await gateway.OpenAsync(Requests.Open(request));
        // What ends a batch has never been published by this process: its address is not known yet.
        await gateway.Bus.Publish(Requests.Ask(request));
        await GatewayHost.EventuallyAsync(() => engine.Received.Count == 1 ? engine : null);

        var stopping = gateway.StopAsync();
        // Time enough for everything to stop that does not wait for the answer.
        await Task.Delay(TimeSpan.FromSeconds(3));
        gate.SetResult();
        await stopping;

        (await gateway.QueryAsync(database => database.PaidCalls.AsNoTracking().SingleAsync())).State.ShouldBe(CallStates.Answered);
        gateway.Of<EngineAnswered>(request.AuditId).ShouldHaveSingleItem("the bus stops after the pump");
        await gateway.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Should_fence_what_an_earlier_embedded_process_left_open()
    {
        var engine = new TestEngine(concurrency: 1) { Behaviour = async (_, _, ct) => { await Task.Delay(Timeout.Infinite, ct); return TestEngine.Unknown; } };
        var database = GatewayHost.NewSqlite();
        var request = Requests.Audit(["one", "two"]);
        await using (var gateway = await GatewayHost.StartOnAsync(database, engine, ("LlmGateway:DrainTimeout", "00:00:00.100")))
        {
            await gateway.OpenAsync(Requests.Open(request));
            await gateway.Bus.Publish(Requests.Ask(request));
            await GatewayHost.EventuallyAsync(() => engine.Received.Count == 1 ? engine : null);
        }

        engine.Behaviour = (query, _, _) => Task.FromResult(TestEngine.Answer(query));
        await using var next = await GatewayHost.StartOnAsync(database, engine);

        await next.ShouldBalanceAsync();
        var budget = await next.QueryAsync(ledger => ledger.AuditBudgets.AsNoTracking().SingleAsync());
        budget.State.ShouldBe(BudgetStates.Closed);
        var calls = await next.QueryAsync(ledger => ledger.PaidCalls.AsNoTracking().ToListAsync());
        calls.Select(call => call.State).Order().ShouldBe([CallStates.Declined, CallStates.InDoubt]);
        engine.Received.Count.ShouldBe(1);
    }

    internal static async Task UntilAsync(Func<Task<bool>> reached)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await reached())
            await Task.Delay(20, limit.Token);
    }
}
