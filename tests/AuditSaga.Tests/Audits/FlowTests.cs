using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Audits;

public class When_everybody_answers
{
    [Fact]
    public async Task Should_complete_with_state_time_scores_and_event()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Completed);

        var row = await bench.RowAsync(id);
        row.CurrentState.ShouldBe(AuditStates.Completed);
        row.CompletedAt.ShouldBe(bench.Clock.Now);
        row.Scores!["visibility"].Value.ShouldBe(0.5);
        row.FailureReason.ShouldBeNull();
        var completed = bench.All<AuditCompleted>().ShouldHaveSingleItem();
        completed.Coverage.ShouldBe(1);
        completed.Scores["visibility"].N.ShouldBe(6);
        bench.Last<CloseBudget>().Attempt.ShouldBe(1);
        bench.Timers.ShouldBeEmpty();
        (await bench.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_record_every_step_once()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Completed);

        var steps = await bench.QueryAsync(db => db.AuditTransitions.Where(step => step.AuditId == id).OrderBy(step => step.Sequence).ToArrayAsync());
        steps.Select(step => $"{step.FromState} {step.Trigger} {step.ToState}").ShouldBe(
        [
            "Initial RequestAudit Admitting", "Admitting BudgetOpened Planning", "Planning QueriesPlanned Asking", "Asking AnswersAnalyzed Scoring",
            "Scoring AuditScored Advising", "Advising InsightsDrafted Publishing", "Publishing ReportPublished Completed",
        ]);
        bench.All<AuditTransitioned>().Select(step => step.Sequence).ShouldBe(steps.Select(step => step.Sequence));
    }

    [Fact]
    public async Task Should_ask_every_engine_every_query_in_batches_of_the_set_size()
    {
        await using var bench = await AuditBench.CreateAsync(o => o.BatchSize = 4);
        var id = await bench.ToAsync(AuditStates.Asking, Given.Request() with { Runs = 2 });

        var batches = bench.All<AskEngine>();
        batches.Select(batch => (batch.Engine, batch.Questions.Count)).ShouldBe([("chatgpt", 4), ("chatgpt", 2), ("claude", 4), ("claude", 2)]);
        batches.Select(batch => batch.BatchId).ShouldBeUnique();
        batches.ShouldAllBe(batch => batch.Purpose == Purposes.Answer && batch.DeadlineAt == bench.Clock.Now.AddMinutes(30));
        batches.Where(batch => batch.Engine == "claude").SelectMany(batch => batch.Questions).Select(question => (question.QuestionId, question.Run))
            .ShouldBe([("q001", 1), ("q002", 1), ("q003", 1), ("q001", 2), ("q002", 2), ("q003", 2)]);
        (await bench.RowAsync(id)).PanelCalls.ShouldBe(12);
    }

    [Fact]
    public async Task Should_describe_the_report_by_its_manifest()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Publishing);

        var manifest = bench.All<PublishReport>().ShouldHaveSingleItem();
        manifest.BatchIds.ShouldBe(bench.All<AskEngine>().Select(batch => batch.BatchId));
        manifest.AnswerCount.ShouldBe(6);
        manifest.Layers.ShouldBe([1, 2, 3]);
        manifest.ScoreId.ShouldBe((await bench.RowAsync(id)).ScoreId!.Value);
        bench.All<DraftInsights>().Select(draft => (draft.Layer, draft.AdvisorAvailable)).ShouldBe([(1, true), (2, true), (3, true)]);
    }

    [Fact]
    public async Task Should_say_progress_at_most_once_a_second()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        var batch = bench.All<AskEngine>()[0];

        for (var decided = 1; decided <= 3; decided++)
            await bench.DeliverAsync(Given.Alive(id, batch: batch.BatchId, decided: decided));
        bench.All<AuditProgressed>().Count.ShouldBe(1);

        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        await bench.DeliverAsync(Given.Alive(id, batch: batch.BatchId, decided: 3, waitingFor: "requests per minute"));
        var progress = bench.All<AuditProgressed>();
        progress.Count.ShouldBe(2);
        progress[1].CompletedCalls.ShouldBe(3);
        progress[1].WaitingFor.ShouldBe("requests per minute");
        progress[1].Fraction.ShouldBeGreaterThan(progress[0].Fraction);
    }

    [Fact]
    public async Task Should_ask_for_the_competitors_once_if_told_to()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Completed, Given.Request() with { AuditCompetitors = true });

        var children = bench.All<RequestAudit>();
        children.Select(child => child.Brand.Name).ShouldBe(["Sony", "JBL"]);
        children.ShouldAllBe(child => child.ParentAuditId == id && child.Kind == AuditKinds.Competitor && !child.AuditCompetitors);
        await bench.DeliverAsync(children[0]);
        var row = await bench.RowAsync(children[0].AuditId);
        (row.CurrentState, row.Depth, row.TrackingId).ShouldBe((AuditStates.Admitting, 1, id));
        bench.Last<OpenBudget>().TreeCeilingMicroUsd.ShouldBe(15_000_000);
    }
}

public class When_messages_come_twice_or_late
{
    [Fact]
    public async Task Should_count_a_batch_once()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        var batch = bench.All<AskEngine>()[0];

        for (var i = 0; i < 5; i++)
            await bench.DeliverAsync(Given.Analyzed(batch));

        var row = await bench.RowAsync(id);
        row.OpenBatches.Count.ShouldBe(1);
        row.Coverage!.Planned.ShouldBe(3);
        row.SettledMicroUsd.ShouldBe(1100);
    }

    [Fact]
    public async Task Should_not_draft_the_next_layer_twice()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Advising);

        await bench.DeliverAsync(Given.Drafted(id, 1));
        await bench.DeliverAsync(Given.Drafted(id, 1));

        bench.All<DraftInsights>().Select(draft => draft.Layer).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task Should_change_nothing_after_the_end()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Completed);
        var before = await bench.RowAsync(id);
        bench.Said.Clear();

        await bench.DeliverAsync(Given.Published(id));
        await bench.DeliverAsync(Given.Scored(id));
        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(new AuditDeadlinePassed { AuditId = id, Attempt = 1 });
        await bench.DeliverAsync(Given.Fault(new ScoreAudit { AuditId = id, Attempt = 1, BatchIds = [] }));

        bench.Said.ShouldBeEmpty();
        var after = await bench.RowAsync(id);
        (after.CurrentState, after.CompletedAt, after.TransitionSequence).ShouldBe((before.CurrentState, before.CompletedAt, before.TransitionSequence));
    }

    [Fact]
    public async Task Should_answer_the_same_request_with_the_present_state()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = await bench.RequestAsync();
        await bench.DeliverAsync(request with { RequestedBy = "somebody else" });
        bench.All<OpenBudget>().Count.ShouldBe(1);
        bench.All<AuditAccepted>().ShouldBeEmpty();

        await bench.GoOnToAsync(request.AuditId, AuditStates.Asking);
        await bench.DeliverAsync(request with { CeilingUsd = 5.00m });
        bench.All<AuditAccepted>().Count.ShouldBe(2);

        await bench.GoOnToAsync(request.AuditId, AuditStates.Completed);
        await bench.DeliverAsync(request);
        bench.All<AuditCompleted>().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Should_refuse_the_same_id_with_other_content_and_leave_the_audit_alone()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = await bench.RequestAsync();

        await bench.DeliverAsync(request with { Runs = 2 });

        bench.All<AuditRejected>().ShouldHaveSingleItem().Reason.ShouldBe(RejectionReasons.AuditIdReused);
        (await bench.RowAsync(request.AuditId)).CurrentState.ShouldBe(AuditStates.Admitting);
    }

    [Fact]
    public async Task Should_do_nothing_for_an_unknown_audit()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.DeliverAsync(Given.Cancel(Guid.NewGuid()));
        bench.Said.ShouldBeEmpty();
        (await bench.QueryAsync(db => db.Audits.CountAsync())).ShouldBe(0);
    }
}

public class When_answers_are_missing
{
    [Fact]
    public async Task Should_fail_with_the_numbers_if_coverage_is_below_the_minimum()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);

        foreach (var batch in bench.All<AskEngine>())
            await bench.DeliverAsync(Given.Analyzed(batch, valid: 2));

        var failed = bench.All<AuditFailed>().ShouldHaveSingleItem();
        failed.Reason.ShouldBe(FailureReasons.InsufficientCoverage);
        failed.Detail.ShouldContain("4 of 6 planned calls");
        failed.Detail.ShouldContain("2 declined");
        failed.Detail.ShouldContain("TriesExhausted 2");
        failed.Phase.ShouldBe(AuditStates.Asking);
        bench.Last<CloseBudget>().Reason.ShouldBe(FailureReasons.InsufficientCoverage);
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Failed);
        bench.All<ScoreAudit>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_go_on_with_gaps_above_the_minimum()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking, Given.Request() with { MinCoverage = 0.6 });

        foreach (var batch in bench.All<AskEngine>())
            await bench.DeliverAsync(Given.Analyzed(batch, valid: 2));
        await bench.GoOnToAsync(id, AuditStates.Completed);

        bench.All<AuditCompleted>().ShouldHaveSingleItem().Coverage.ShouldBe(4.0 / 6);
    }

    [Fact]
    public async Task Should_fail_without_a_single_valid_answer_whatever_the_minimum()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Asking, Given.Request() with { MinCoverage = 0 });

        foreach (var batch in bench.All<AskEngine>())
            await bench.DeliverAsync(Given.Analyzed(batch, valid: 0));

        bench.Last<AuditFailed>().Reason.ShouldBe(FailureReasons.InsufficientCoverage);
    }

    [Fact]
    public async Task Should_fail_if_nothing_could_be_planned()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Planning);
        await bench.DeliverAsync(Given.Planned(id, queries: 0));
        bench.Last<AuditFailed>().Reason.ShouldBe(FailureReasons.PlanFailed);
    }
}

public class When_an_audit_waits_too_long
{
    [Theory]
    [InlineData(AuditStates.Admitting, "LlmGateway")]
    [InlineData(AuditStates.Planning, "Analyzer")]
    [InlineData(AuditStates.Asking, "LlmGateway")]
    [InlineData(AuditStates.Scoring, "Analyzer")]
    [InlineData(AuditStates.Advising, "Analyzer")]
    [InlineData(AuditStates.Publishing, "Dashboard")]
    public async Task Should_fail_as_stalled_in_every_phase(string phase, string waitedFor)
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(phase);

        bench.Clock.Advance(5.1);
        await bench.FireDueTimersAsync();

        var failed = bench.All<AuditFailed>().ShouldHaveSingleItem();
        (failed.Reason, failed.Phase).ShouldBe((FailureReasons.Stalled, phase));
        failed.Detail.ShouldContain($"It waited for the {waitedFor}; look at its processes");
        bench.Last<CloseBudget>().AuditId.ShouldBe(id);
        bench.Timers.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_name_the_gateways_process_that_reported_last_but_no_other_services()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Alive(id, batch: bench.All<AskEngine>()[0].BatchId, decided: 1));
        var worker = (await bench.RowAsync(id)).Worker;
        worker.ShouldNotBeEmpty();
        bench.Clock.Advance(5.1);
        await bench.FireDueTimersAsync();
        bench.Last<AuditFailed>().Detail.ShouldContain($"look at its process {worker}, which reported last");

        new AuditState { CurrentState = AuditStates.Scoring, Worker = worker }.StallDetail(TimeSpan.FromMinutes(5)).ShouldNotContain(worker);
    }

    [Fact]
    public async Task Should_live_on_while_a_batch_waits_for_a_limit()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);

        for (var minute = 0; minute < 20; minute += 4)
        {
            bench.Clock.Advance(4);
            await bench.DeliverAsync(Given.Alive(id, batch: bench.All<AskEngine>()[0].BatchId, waitingFor: "breaker"));
            await bench.FireDueTimersAsync();
        }

        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Asking);
        bench.Timers.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Should_not_take_a_call_that_merely_hangs_for_life()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        var batch = bench.All<AskEngine>()[0].BatchId;
        await bench.DeliverAsync(Given.Alive(id, batch: batch, decided: 1));

        for (var minute = 0; minute < 6; minute++)
        {
            bench.Clock.Advance(1);
            await bench.DeliverAsync(Given.Alive(id, batch: batch, decided: 1));
            await bench.FireDueTimersAsync();
        }

        bench.Last<AuditFailed>().Reason.ShouldBe(FailureReasons.Stalled);
    }

    [Fact]
    public async Task Should_fail_at_the_deadline_however_alive_it_is()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking, Given.Request() with { DeadlineMinutes = 6.5 });

        for (var minute = 0; minute < 7; minute++)
        {
            bench.Clock.Advance(1);
            await bench.DeliverAsync(Given.Alive(id, batch: bench.All<AskEngine>()[0].BatchId, waitingFor: "halt"));
            await bench.FireDueTimersAsync();
        }

        var failed = bench.All<AuditFailed>().ShouldHaveSingleItem();
        failed.Reason.ShouldBe(FailureReasons.DeadlinePassed);
        failed.Detail.ShouldContain("0 of 6 panel calls");
    }

    [Fact]
    public async Task Should_arm_the_deadline_again_if_it_fires_early()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(new AuditDeadlinePassed { AuditId = id, Attempt = 1 });
        (await bench.RowAsync(id)).IsLive.ShouldBeTrue();
        bench.Timers.Values.Select(timer => timer.Message).OfType<AuditDeadlinePassed>().ShouldNotBeEmpty();
    }
}

public class When_a_service_gives_up
{
    [Fact]
    public async Task Should_fail_at_once_with_the_command_and_its_cause()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Scoring);

        await bench.DeliverAsync(Given.Fault(bench.Last<ScoreAudit>()));

        var failed = bench.All<AuditFailed>().ShouldHaveSingleItem();
        failed.Reason.ShouldBe(FailureReasons.Fault);
        failed.Detail.ShouldContain("ScoreAudit");
        (await bench.RowAsync(id)).EndedBy.ShouldBe("fault");
    }

    [Fact]
    public async Task Should_ignore_the_fault_of_another_attempt()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Scoring);
        await bench.DeliverAsync(Given.Fault(new ScoreAudit { AuditId = id, Attempt = 2, BatchIds = [] }));
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Scoring);
    }
}

public class When_an_audit_is_cancelled
{
    [Theory]
    [InlineData(AuditStates.Admitting)]
    [InlineData(AuditStates.Asking)]
    [InlineData(AuditStates.Publishing)]
    public async Task Should_end_it_from_any_phase_and_close_its_budget(string phase)
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(phase);

        await bench.DeliverAsync(Given.Cancel(id));
        await bench.DeliverAsync(Given.Cancel(id));

        var cancelled = bench.All<AuditCancelled>().ShouldHaveSingleItem();
        (cancelled.Phase, cancelled.Reason).ShouldBe((phase, "not needed any more (asked by ann)"));
        bench.All<CloseBudget>().ShouldHaveSingleItem().Attempt.ShouldBe(1);
        bench.Timers.ShouldBeEmpty();
        (await bench.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }
}
