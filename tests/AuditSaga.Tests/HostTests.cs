using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests;

/// <summary>The module on a bus and a SQLite file: what only the whole can show.</summary>
public sealed class When_the_saga_runs_in_a_host : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("assay-saga-").FullName;

    AssayDatabase Database => AssayDatabase.Sqlite(Path.Combine(folder, "saga.db"));

    [Fact]
    public async Task Should_complete_audits_side_by_side()
    {
        await using var host = await SagaHost.StartAsync(Database);
        var requests = Enumerable.Range(0, 10).Select(i => Given.Request($"Brand{i}")).ToArray();
        foreach (var request in requests)
            await host.SendAsync(request);

        foreach (var request in requests)
        {
            var completed = await host.Others.UntilHeardAsync<AuditCompleted>(m => m.AuditId == request.AuditId);
            completed.Scores.ShouldNotBeEmpty();
            (await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Completed)).CompletedAt.ShouldNotBeNull();
        }

        await host.Others.UntilHeardAsync<CloseBudget>(m => m.AuditId == requests[^1].AuditId);
        (await host.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
        host.Others.All<AuditCompleted>().Count.ShouldBe(10);
    }

    [Fact]
    public async Task Should_fail_by_its_own_timer_when_nobody_answers()
    {
        var others = new Others();
        others.Silent[typeof(ScoreAudit)] = true;
        await using var host = await SagaHost.StartAsync(Database, others, "AuditSaga:StallTimeout=00:00:01", "AuditSaga:WatchGrace=00:00:30", "Messaging:Redelivery=00:00:00.1");
        var request = Given.Request();
        await host.SendAsync(request);

        var failed = await others.UntilHeardAsync<AuditFailed>();
        (failed.Reason, failed.Phase).ShouldBe((FailureReasons.Stalled, AuditStates.Scoring));
        (await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Failed)).EndedBy.ShouldBe(Enders.Timeout);
    }

    [Fact]
    public async Task Should_fail_by_the_fault_of_a_command()
    {
        var others = new Others();
        others.Failing[typeof(DraftInsights)] = true;
        await using var host = await SagaHost.StartAsync(Database, others);
        await host.SendAsync(Given.Request());

        var failed = await others.UntilHeardAsync<AuditFailed>();
        failed.Reason.ShouldBe(FailureReasons.Fault);
        failed.Detail.ShouldContain("DraftInsights cannot be done.");
    }

    [Fact]
    public async Task Should_end_overdue_audits_by_the_watch_alone()
    {
        var others = new Others();
        others.Silent[typeof(PublishReport)] = true;
        // The timers are far away: the row alone says that the audit is overdue.
        await using var host = await SagaHost.StartAsync(Database, others, "AuditSaga:WatchInterval=00:00:00.2", "AuditSaga:WatchGrace=00:00:00");
        var request = Given.Request();
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Publishing);
        await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync("UPDATE audit SET deadline_at = '2020-01-01 00:00:00'"));

        var row = await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Failed);
        (row.FailureReason, row.EndedBy).ShouldBe((FailureReasons.DeadlinePassed, Enders.Watch));
        await others.UntilHeardAsync<AlertRaised>(alert => alert.Kind == AlertKinds.AuditFailed);
        (await others.UntilHeardAsync<AlertRaised>(alert => alert.Kind == AlertKinds.WatchRescue)).Subject.ShouldBe(FailureReasons.DeadlinePassed);
        await others.UntilHeardAsync<AuditFailed>();
        await others.UntilHeardAsync<CloseBudget>();
        (await host.QueryAsync(db => db.AuditTransitions.OrderBy(step => step.Sequence).LastAsync())).Trigger.ShouldBe("DeadlineWatch");
        (await host.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Theory]
    [InlineData("open_batches = 'no json'")]
    [InlineData("ancestry = '[1'")]
    [InlineData("coverage = 'x'")]
    public async Task Should_end_an_unreadable_audit_by_the_emergency_statement(string corruption)
    {
        var others = new Others();
        others.Silent[typeof(AskEngine)] = true;
        await using var host = await SagaHost.StartAsync(Database, others, "AuditSaga:WatchInterval=00:00:00.2", "AuditSaga:WatchGrace=00:00:00", "AuditSaga:IntegritySettle=00:00:00");
        var request = Given.Request();
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Asking);
#pragma warning disable EF1002 // The corruption is the test's own text.
        await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync($"UPDATE audit SET deadline_at = '2020-01-01 00:00:00', {corruption}"));
#pragma warning restore EF1002

        var failed = await others.UntilHeardAsync<AuditFailed>();
        (failed.Reason, failed.Phase).ShouldBe((FailureReasons.EmergencyRecovery, AuditStates.Asking));
        await others.UntilHeardAsync<AlertRaised>(alert => alert.Kind == AlertKinds.AuditFailed && alert.Subject == FailureReasons.EmergencyRecovery);
        await others.UntilHeardAsync<AlertRaised>(alert => alert.Kind == AlertKinds.WatchRescue);
        await others.UntilHeardAsync<CloseBudget>();
        // Nor does the row stand in the way of comparing the services.
        await host.CompareServicesAsync();
        await others.UntilHeardAsync<AlertRaised>(alert => alert.Subject == IntegrityKinds.ReadModelMissing);
        (await host.QueryAsync(db => db.Audits.Select(audit => new { audit.CurrentState, audit.FailureReason }).SingleAsync())).CurrentState.ShouldBe(AuditStates.Failed);
        (await host.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_fail_what_the_previous_process_left_unfinished_and_go_on_by_retry()
    {
        var silent = new Others();
        silent.Silent[typeof(ScoreAudit)] = true;
        var request = Given.Request();
        await using (var host = await SagaHost.StartAsync(Database, silent))
        {
            await host.SendAsync(request);
            await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Scoring);
        }

        var others = new Others();
        await using var next = await SagaHost.StartAsync(Database, others, "AuditSaga:FailUnfinishedAtStart=true");
        var failed = await others.UntilHeardAsync<AuditFailed>();
        failed.Reason.ShouldBe(FailureReasons.HostRestarted);
        (await others.UntilHeardAsync<CloseBudget>()).Attempt.ShouldBe(1);

        await next.SendAsync(Given.Retry(request.AuditId));
        (await others.UntilHeardAsync<AuditCompleted>()).Attempt.ShouldBe(2);
        others.All<AskEngine>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_tell_a_gateway_what_it_has_seen_of_the_ledger_and_fail_what_is_live()
    {
        var others = new Others();
        others.Silent[typeof(ScoreAudit)] = true;
        await using var host = await SagaHost.StartAsync(Database, others);
        var request = Given.Request();
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Scoring);

        var seen = (await host.Bus.CreateRequestClient<GetLedgerSeen>().GetResponse<LedgerSeen>(new GetLedgerSeen { LedgerSequence = 3 })).Message;
        var audit = seen.Audits.ShouldHaveSingleItem();
        (audit.AuditId, audit.Attempt, audit.Live, audit.State).ShouldBe((request.AuditId, 1, true, AuditStates.Scoring));
        seen.HighestSequence.ShouldBe(audit.LedgerSequence);
        audit.LedgerSequence.ShouldBeGreaterThan(0);

        var client = host.Bus.CreateRequestClient<FailLiveAudits>();
        (await client.GetResponse<LiveAuditsFailed>(new FailLiveAudits { Detail = "The ledger was restored." })).Message.AuditIds.ShouldBe([request.AuditId]);
        (await others.UntilHeardAsync<AuditFailed>()).Reason.ShouldBe(FailureReasons.LedgerRestored);
        (await others.UntilHeardAsync<CloseBudget>()).Attempt.ShouldBe(1);
        (await client.GetResponse<LiveAuditsFailed>(new FailLiveAudits { Detail = "Again." })).Message.AuditIds.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_admit_one_of_many_requests_for_the_same_panel_at_the_same_instant()
    {
        var others = new Others();
        others.Silent[typeof(AskEngine)] = true;
        await using var host = await SagaHost.StartAsync(Database, others);
        var requests = Enumerable.Range(0, 8).Select(_ => Given.Request()).ToArray();
        await Task.WhenAll(requests.Select(request => host.SendAsync(request)));

        foreach (var request in requests)
            await host.UntilAsync(request.AuditId, row => row.CurrentState is AuditStates.Asking or AuditStates.Rejected);
        var states = await host.QueryAsync(db => db.Audits.Select(audit => new { audit.CurrentState, audit.FailureReason }).ToArrayAsync());
        states.Count(audit => audit.CurrentState == AuditStates.Asking).ShouldBe(1);
        states.Count(audit => audit.FailureReason == RejectionReasons.AlreadyRunning).ShouldBe(7);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
