using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.LlmGateway.AskEngine;

[Trait("Needs", "Servers")]
public sealed class AskingABatch
{
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_answer_every_question_once_and_settle_at_the_real_price(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(Requests.Queries(20));

        (await gateway.OpenAsync(Requests.Open(request))).ShouldBeOfType<BudgetOpened>().PlannedCalls.ShouldBe(20);
        var answered = await gateway.AskAsync(Requests.Ask(request));

        answered.Answers.Count.ShouldBe(20);
        answered.Answers.ShouldAllBe(answer => answer.State == CallStates.Answered && answer.Text == $"Answer to {answer.Query}" && answer.CostMicroUsd == 105 && answer.PaidTries == 1);
        engine.Received.Count.ShouldBe(20);
        engine.MostAtOnce.ShouldBeLessThanOrEqualTo(8);
        var spending = await gateway.SpendingAsync(Scopes.Audit(request.AuditId));
        spending.SpentMicroUsd.ShouldBe(20 * 105);
        spending.ReservedMicroUsd.ShouldBe(0);
        await gateway.ShouldBalanceAsync();

        var report = await gateway.CloseAsync(request.AuditId);
        report.SpentMicroUsd.ShouldBe(20 * 105);
        report.Calls.ShouldBe(20);
        await gateway.ShouldBalanceAsync();
        (await gateway.SpendingAsync(Scopes.Tree(request.AuditId))).ReservedMicroUsd.ShouldBe(0);
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_refuse_a_batch_above_the_bound_and_ask_nothing(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("Messaging:ImmediateRetries", "0"), ("Messaging:Redelivery", "00:00:00.1"));
        var faults = new Faults();
        using var observing = gateway.Bus.ConnectConsumeObserver(faults);
        var request = Requests.Audit(["one"], ceilingUsd: 25);
        await gateway.OpenAsync(Requests.Open(request));

        await gateway.Bus.Publish(Requests.Ask(request, queries: [.. Enumerable.Range(0, BatchBounds.MaxQuestions + 1).Select(number => $"question {number}")]));
        var why = await GatewayHost.EventuallyAsync(() => faults.Last);

        why.ShouldContain($"asks engine 'test' {BatchBounds.MaxQuestions + 1} questions; a batch has at most {BatchBounds.MaxQuestions}");
        engine.Received.ShouldBeEmpty();
        (await gateway.AskAsync(Requests.Ask(request, queries: ["one"]))).Answers.ShouldHaveSingleItem();
        engine.Received.Count.ShouldBe(1);
        await gateway.ShouldBalanceAsync();
    }

    sealed class Faults : IConsumeObserver
    {
        public string? Last { get; private set; }

        public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception)
            where T : class
        {
            Last = exception.Message;
            return Task.CompletedTask;
        }

        public Task PreConsume<T>(ConsumeContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context)
            where T : class => Task.CompletedTask;
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_merge_questions_that_are_the_same_call(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one", "two"]);
        await gateway.OpenAsync(Requests.Open(request));

        var answered = await gateway.AskAsync(Requests.Ask(request, queries: ["one", "two", "one"]));

        answered.Answers.Count.ShouldBe(3);
        answered.Answers[2].ShouldSatisfyAllConditions(answer => answer.Reused.ShouldBeTrue(), answer => answer.CostMicroUsd.ShouldBe(0), answer => answer.Text.ShouldBe("Answer to one"));
        engine.Received.Count.ShouldBe(2);
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_ignore_a_duplicate_and_repeat_a_finished_batch(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one", "two"]);
        await gateway.OpenAsync(Requests.Open(request));
        var ask = Requests.Ask(request);
        await gateway.AskAsync(ask);

        await gateway.Bus.Publish(ask);
        await GatewayHost.EventuallyAsync(() => gateway.Of<EngineAnswered>(request.AuditId) is { Count: 2 } both ? both : null);

        engine.Received.Count.ShouldBe(2);
        gateway.Of<EngineAnswered>(request.AuditId).ShouldAllBe(answered => answered.Answers.All(answer => answer.Text != null));
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_reuse_in_a_retry_what_the_first_attempt_paid(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (query, _, _) => Task.FromResult(query == "two" ? TestEngine.Rejected : TestEngine.Answer(query)) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one", "two", "three"]);
        await gateway.OpenAsync(Requests.Open(request));
        var first = await gateway.AskAsync(Requests.Ask(request));
        first.Answers[1].State.ShouldBe(CallStates.Declined);
        await gateway.CloseAsync(request.AuditId);

        engine.Behaviour = (query, _, _) => Task.FromResult(TestEngine.Answer(query));
        (await gateway.OpenAsync(Requests.Open(request, attempt: 2))).ShouldBeOfType<BudgetOpened>();
        var second = await gateway.AskAsync(Requests.Ask(request, attempt: 2));

        second.Answers.ShouldAllBe(answer => answer.State == CallStates.Answered);
        second.Answers.Select(answer => answer.Reused).ShouldBe([true, false, true]);
        engine.Received.Count(received => received.Query == "one").ShouldBe(1);
        await gateway.ShouldBalanceAsync();
    }

    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_decline_what_is_asked_after_the_fence(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.CloseAsync(request.AuditId);

        var answered = await gateway.AskAsync(Requests.Ask(request));

        answered.Answers.ShouldHaveSingleItem().ShouldSatisfyAllConditions(answer => answer.State.ShouldBe(CallStates.Declined), answer => answer.Reason.ShouldBe(CallReasons.AuditClosed));
        engine.Received.ShouldBeEmpty();
    }
}
