using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway.Pump;

[Trait("Needs", "Servers")]
public sealed class PayingForDoubt
{
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_keep_a_doubtful_call_until_an_operator_permits_one_more(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (_, _, _) => Task.FromResult(TestEngine.Unknown) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));
        var worst = 3 + 10 * TestEngine.MaxTokens;

        (await gateway.AskAsync(Requests.Ask(request))).Answers[0].ShouldSatisfyAllConditions(
            answer => answer.State.ShouldBe(CallStates.InDoubt), answer => answer.Reason.ShouldBe(CallReasons.Timeout), answer => answer.CostMicroUsd.ShouldBe(worst));
        (await gateway.CloseAsync(request.AuditId)).ShouldSatisfyAllConditions(report => report.InDoubt.ShouldBe(1), report => report.InDoubtMicroUsd.ShouldBe(worst), report => report.SpentMicroUsd.ShouldBe(worst));

        await gateway.OpenAsync(Requests.Open(request, attempt: 2));
        (await gateway.AskAsync(Requests.Ask(request, attempt: 2))).Answers[0].State.ShouldBe(CallStates.InDoubt);
        (await InDoubtAsync(gateway)).Since.ShouldBeNull();
        engine.Received.Count.ShouldBe(1, "nobody permitted another try");
        await gateway.CloseAsync(request.AuditId, 2);

        engine.Behaviour = (query, _, _) => Task.FromResult(TestEngine.Answer(query));
        await gateway.OpenAsync(Requests.Open(request, attempt: 3, askInDoubtAgain: true));
        var answer = (await gateway.AskAsync(Requests.Ask(request, attempt: 3))).Answers[0];
        answer.State.ShouldBe(CallStates.Answered);
        answer.CostMicroUsd.ShouldBe(worst + 105, "the doubtful try's worst case stays spent");
        answer.PaidTries.ShouldBe(2);
        (await InDoubtAsync(gateway)).Since.ShouldBe(CallStates.Answered);
        engine.Received.Select(received => received.Key).Distinct().ShouldHaveSingleItem("the key goes out without any suffix");
        (await gateway.QueryAsync(database => database.PaidTries.AsNoTracking().OrderBy(attempt => attempt.Number).Select(attempt => attempt.Permitted).ToListAsync())).ShouldBe([0, 1]);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_ask_once_more_by_the_audits_own_policy_and_stay_in_doubt_after_that(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (query, number, _) => Task.FromResult(query == "lost" || number == 1 ? TestEngine.Unknown : TestEngine.Answer(query)) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one", "lost"], inDoubt: InDoubtPolicies.AskAgain);
        await gateway.OpenAsync(Requests.Open(request));

        var answers = (await gateway.AskAsync(Requests.Ask(request))).Answers;

        answers[0].ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.Answered), answer => answer.PaidTries.ShouldBe(2));
        answers[1].ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.InDoubt), answer => answer.PaidTries.ShouldBe(2));
        engine.Received.Count.ShouldBe(4);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_correct_the_price_when_the_outcome_of_an_owner_taken_for_dead_comes_late(DatabaseProvider provider)
    {
        var gate = new TaskCompletionSource();
        var engine = new TestEngine();
        engine.Behaviour = async (query, _, _) =>
        {
            await gate.Task;
            return TestEngine.Answer(query);
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("LlmGateway:SweepInterval", "00:00:00.200"));
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));
        var ask = Requests.Ask(request);
        await gateway.Bus.Publish(ask);
        await GatewayHost.EventuallyAsync(() => engine.Received.Count == 1 ? engine : null);

        await gateway.QueryAsync(database => database.Instances.ExecuteUpdateAsync(row => row.SetProperty(instance => instance.DeadAt, DateTime.UtcNow)));
        (await gateway.AnsweredAsync(ask)).Answers[0].ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.InDoubt), answer => answer.Reason.ShouldBe(CallReasons.OwnerLost));
        await gateway.ShouldBalanceAsync();
        gate.SetResult();

        await GatewayHost.EventuallyAsync(() => gateway.Of<BudgetReported>(request.AuditId).FirstOrDefault(report => report is { SpentMicroUsd: 105, InDoubt: 0 }));
        var call = await gateway.QueryAsync(database => database.PaidCalls.AsNoTracking().SingleAsync());
        call.ShouldSatisfyAllConditions(row => row.State.ShouldBe(CallStates.Answered), row => row.Text.ShouldBe("one"), row => row.SpentMicroUsd.ShouldBe(105), row => row.PaidTries.ShouldBe(1));
        await gateway.ShouldBalanceAsync();

        await gateway.CloseAsync(request.AuditId);
        await gateway.OpenAsync(Requests.Open(request, attempt: 2));
        (await gateway.AskAsync(Requests.Ask(request, attempt: 2))).Answers[0].ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.Answered), answer => answer.Reused.ShouldBeTrue());
        engine.Received.Count.ShouldBe(1);
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_record_a_price_above_the_reservation_and_halt(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (query, _, _) => Task.FromResult(TestEngine.Answer(query, 5, 10 * TestEngine.MaxTokens)) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));

        var answer = (await gateway.AskAsync(Requests.Ask(request))).Answers[0];

        answer.State.ShouldBe(CallStates.Answered);
        answer.CostMicroUsd.ShouldBe(5 + 10_000);
        var spending = await gateway.SpendingAsync(Scopes.Audit(request.AuditId));
        spending.OverrunMicroUsd.ShouldBe(5 + 10_000 - (3 + 1000));
        var halt = await gateway.QueryAsync(database => database.Halts.AsNoTracking().SingleAsync());
        halt.Halted.ShouldBe(1);
        halt.Reason!.ShouldStartWith("PriceBoundBroken");
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_lose_no_outcome_when_every_price_on_the_wire_breaks_its_bound(DatabaseProvider provider)
    {
        const int atOnce = 8, price = 5 + 10_000, reserved = 3 + 1000;
        var gate = new TaskCompletionSource();
        var engine = new TestEngine(concurrency: atOnce);
        engine.Behaviour = async (query, _, _) =>
        {
            await gate.Task;
            return TestEngine.Answer(query, 5, 10 * TestEngine.MaxTokens);
        };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit([.. Enumerable.Range(100, 40).Select(i => $"{i}")]);
        await gateway.OpenAsync(Requests.Open(request));
        var ask = Requests.Ask(request);
        await gateway.Bus.Publish(ask);
        await GatewayHost.EventuallyAsync(() => engine.Received.Count == atOnce ? engine : null);
        gate.SetResult();
        await StoppingMidway.UntilAsync(() => gateway.QueryAsync(database => database.Halts.AnyAsync(halt => halt.Halted == 1)));

        await gateway.CloseAsync(request.AuditId);
        var answers = (await gateway.AnsweredAsync(ask)).Answers;
        var sent = engine.Received.Count;
        sent.ShouldBeLessThanOrEqualTo(2 * atOnce, "the flush that halts may carry the intents that take the freed slots, and none after it");
        answers.Count(answer => answer is { State: CallStates.Answered, Text: not null, CostMicroUsd: price }).ShouldBe(sent);
        (await gateway.SpendingAsync(Scopes.Audit(request.AuditId))).ShouldSatisfyAllConditions(
            row => row.OverrunMicroUsd.ShouldBe(sent * (price - reserved)), row => row.SpentMicroUsd.ShouldBe(sent * reserved), row => row.ReservedMicroUsd.ShouldBe(0));
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_repeat_an_unreadable_answer_once_under_a_suffixed_key(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (query, _, _) => Task.FromResult(TestEngine.Unreadable) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));

        var answer = (await gateway.AskAsync(Requests.Ask(request))).Answers[0];

        answer.ShouldSatisfyAllConditions(one => one.State.ShouldBe(CallStates.Empty), one => one.Reason.ShouldBe(CallReasons.UnreadableAnswer), one => one.CostMicroUsd.ShouldBe(210));
        engine.Received.Select(received => received.Key).ShouldBe([answer.CallKey, answer.CallKey + ".2"]);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_try_again_what_was_not_billed_until_its_tries_are_exhausted(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (query, number, _) => Task.FromResult(query == "never" || number == 1 ? TestEngine.Busy() : TestEngine.Answer(query)) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("LlmGateway:FirstBackoff", "00:00:00.010"));
        var request = Requests.Audit(["one", "never"]);
        await gateway.OpenAsync(Requests.Open(request));

        var answers = (await gateway.AskAsync(Requests.Ask(request))).Answers;

        answers[0].ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.Answered), answer => answer.PaidTries.ShouldBe(1), answer => answer.Reason.ShouldBeNull());
        answers[1].ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.Declined), answer => answer.Reason.ShouldBe(CallReasons.TriesExhausted), answer => answer.CostMicroUsd.ShouldBe(0));
        engine.Received.Count(received => received.Query == "never").ShouldBe(3);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_decline_what_the_ceiling_cannot_pay_and_never_what_fits(DatabaseProvider provider)
    {
        // Each call may cost 1 003 micro-dollars and costs 105: under a ceiling of 2 500 at most two are open at once, and about fifteen fit.
        var engine = new TestEngine(concurrency: 8);
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit([.. Enumerable.Range(10, 30).Select(i => $"q{i}")], ceilingUsd: 0.0025m);
        (await gateway.OpenAsync(Requests.Open(request))).ShouldBeOfType<BudgetOpened>().AllocatedMicroUsd.ShouldBe(2500);

        var answers = (await gateway.AskAsync(Requests.Ask(request))).Answers;

        var answered = answers.Count(answer => answer.State == CallStates.Answered);
        answered.ShouldBe(1 + (2500 - 1003) / 105);
        answers.Where(answer => answer.State != CallStates.Answered).ShouldAllBe(answer => answer.Reason == CallReasons.CeilingReached);
        engine.MostAtOnce.ShouldBeLessThanOrEqualTo(2);
        await gateway.ShouldBalanceAsync();
    }

    static async Task<InDoubtCall> InDoubtAsync(GatewayHost gateway) =>
        (await gateway.Bus.CreateRequestClient<GetSpending>().GetResponse<SpendingStatus>(new GetSpending())).Message.InDoubt.ShouldHaveSingleItem();
}
