using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Retry;

public class When_an_ended_audit_is_retried
{
    [Theory]
    [InlineData(AuditStates.Admitting, AuditStates.Planning)]
    [InlineData(AuditStates.Planning, AuditStates.Planning)]
    [InlineData(AuditStates.Asking, AuditStates.Asking)]
    [InlineData(AuditStates.Scoring, AuditStates.Scoring)]
    [InlineData(AuditStates.Advising, AuditStates.Advising)]
    [InlineData(AuditStates.Publishing, AuditStates.Publishing)]
    public async Task Should_resume_at_the_first_phase_whose_output_is_missing(string endedIn, string resumesAt)
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(endedIn);
        await bench.DeliverAsync(Given.Cancel(id));

        await bench.DeliverAsync(Given.Retry(id));
        await bench.DeliverAsync(Given.Opened(id, attempt: 2));

        var row = await bench.RowAsync(id);
        (row.CurrentState, row.Attempt, row.EndedAt).ShouldBe((resumesAt, 2, null));
        bench.Last<AuditAccepted>().Attempt.ShouldBe(2);
        await bench.GoOnToAsync(id, AuditStates.Completed);
        bench.All<AuditCompleted>().ShouldHaveSingleItem().Attempt.ShouldBe(2);
        bench.All<PlanQueries>().Select(plan => plan.Attempt).Distinct().Count().ShouldBe(bench.All<PlanQueries>().Count);
    }

    [Fact]
    public async Task Should_cost_nothing_if_only_the_report_was_lost()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Publishing);
        bench.Clock.Advance(6);
        await bench.FireDueTimersAsync();
        bench.Said.Clear();

        await bench.DeliverAsync(Given.Retry(id));
        await bench.DeliverAsync(Given.Opened(id, attempt: 2));

        bench.All<AskEngine>().ShouldBeEmpty();
        bench.All<DraftInsights>().ShouldBeEmpty();
        var manifest = bench.All<PublishReport>().ShouldHaveSingleItem();
        (manifest.Attempt, manifest.AnswerCount, manifest.BatchIds.Count).ShouldBe((2, 6, 2));
    }

    [Fact]
    public async Task Should_ask_with_new_batches_and_ignore_the_old_ones()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        var old = bench.All<AskEngine>();
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Retry(id));
        await bench.DeliverAsync(Given.Opened(id, attempt: 2));

        foreach (var batch in old)
        {
            await bench.DeliverAsync(Given.Analyzed(batch));
            await bench.DeliverAsync(Given.Fault(batch));
        }

        await bench.DeliverAsync(new AuditStalled { AuditId = id, Attempt = 1 });
        await bench.DeliverAsync(new AuditDeadlinePassed { AuditId = id, Attempt = 1 });
        var row = await bench.RowAsync(id);
        row.CurrentState.ShouldBe(AuditStates.Asking);
        row.OpenBatches.Keys.ShouldBe(bench.All<AskEngine>().Where(batch => batch.Attempt == 2).Select(batch => batch.BatchId), ignoreOrder: true);
        row.OpenBatches.Keys.ShouldNotContain(id => old.Any(batch => batch.BatchId == id));
    }

    [Fact]
    public async Task Should_start_one_attempt_for_a_double_click()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Cancel(id));

        await bench.DeliverAsync(Given.Retry(id));
        await bench.DeliverAsync(Given.Retry(id));
        await bench.GoOnToAsync(id, AuditStates.Asking);
        await bench.DeliverAsync(Given.Retry(id));

        (await bench.RowAsync(id)).Attempt.ShouldBe(2);
        bench.All<OpenBudget>().Select(open => open.Attempt).ShouldBe([1, 2]);
        bench.All<AuditRejected>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_take_the_brand_again_or_say_who_has_it()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Cancel(id));
        var other = await bench.ToAsync(AuditStates.Asking);

        await bench.DeliverAsync(Given.Retry(id));

        var refused = bench.Last<AuditRejected>();
        (refused.Reason, refused.ExistingAuditId).ShouldBe((RejectionReasons.AlreadyRunning, other));
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Cancelled);

        await bench.DeliverAsync(Given.Cancel(other));
        await bench.DeliverAsync(Given.Retry(id));
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Admitting);
        (await bench.QueryAsync(db => db.LiveAudits.SingleAsync())).AuditId.ShouldBe(id);
    }

    [Fact]
    public async Task Should_refuse_one_that_was_deleted()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Erased(id));

        await bench.DeliverAsync(Given.Retry(id));

        var refused = bench.Last<AuditRejected>();
        refused.Reason.ShouldBe(RejectionReasons.NotRetryable);
        refused.Detail.ShouldContain("was deleted");
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Cancelled);
    }

    [Fact]
    public async Task Should_spend_nothing_more_if_it_was_deleted_meanwhile()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Retry(id));
        await bench.DeliverAsync(Given.Opened(id, attempt: 2));

        await bench.DeliverAsync(Given.Erased(id));

        var row = await bench.RowAsync(id);
        (row.CurrentState, row.FailureDetail).ShouldBe((AuditStates.Cancelled, "The audit was deleted."));
        bench.Last<CloseBudget>().Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task Should_stop_after_the_last_attempt()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await bench.DeliverAsync(Given.Cancel(id));
            await bench.DeliverAsync(Given.Retry(id, attempt));
        }

        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.AttemptsExhausted);
        var row = await bench.RowAsync(id);
        (row.CurrentState, row.Attempt).ShouldBe((AuditStates.Cancelled, 3));
    }

    [Theory]
    [InlineData(AuditStates.Asking)]
    [InlineData(AuditStates.Completed)]
    public async Task Should_be_refused_in_any_other_state(string state)
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(state);
        await bench.DeliverAsync(Given.Retry(id));
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.NotRetryable);
        (await bench.RowAsync(id)).CurrentState.ShouldBe(state);
    }

    [Fact]
    public async Task Should_be_refused_from_another_attempt()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Retry(id, fromAttempt: 2));
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.NotRetryable);
    }

    [Fact]
    public async Task Should_raise_the_ceiling_and_a_defaulted_tree_ceiling_by_the_same_amount()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking, Given.Request() with { AuditCompetitors = true });
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Retry(id) with { CeilingUsd = 4 });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.InvalidRequest);

        await bench.DeliverAsync(Given.Retry(id) with { CeilingUsd = 7 });

        var open = bench.Last<OpenBudget>();
        (open.CeilingMicroUsd, open.TreeCeilingMicroUsd, open.TreeCeilingDefaulted).ShouldBe((7_000_000, 17_000_000, true));
    }

    [Fact]
    public async Task Should_ask_doubtful_calls_again_only_with_permission()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        foreach (var batch in bench.All<AskEngine>())
            await bench.DeliverAsync(Given.Analyzed(batch) with { Coverage = Given.Coverage(10, 9) with { Declined = 0, InDoubt = 1 } });
        await bench.DeliverAsync(Given.Cancel(id));

        await bench.DeliverAsync(Given.Retry(id));
        await bench.DeliverAsync(Given.Opened(id, attempt: 2));
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Scoring);

        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Retry(id, 2) with { AskInDoubtAgain = true });
        await bench.DeliverAsync(Given.Opened(id, attempt: 3));
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Asking);
        bench.Last<OpenBudget>().AskInDoubtAgain.ShouldBeTrue();
        bench.Last<AskEngine>().AskInDoubtAgain.ShouldBeTrue();
    }

    [Fact]
    public async Task Should_end_again_and_keep_the_attempt_if_the_gateway_refuses()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Retry(id));

        await bench.DeliverAsync(Given.Refused(id, attempt: 2, RejectionReasons.EngineChanged));

        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.EngineChanged);
        bench.Last<AuditFailed>().Reason.ShouldBe(FailureReasons.BudgetRefused);
        var row = await bench.RowAsync(id);
        (row.CurrentState, row.CountedAttempts).ShouldBe((AuditStates.Failed, 1));
        (await bench.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }
}
