using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Stuck;

/// <summary>PostgreSQL killed and started again while audits rest in every phase.</summary>
[Trait("Needs", "Servers")]
public class When_the_database_is_restarted_in_each_phase
{
    static readonly Type[] Commands = [typeof(OpenBudget), typeof(PlanQueries), typeof(AskEngine), typeof(ScoreAudit), typeof(DraftInsights), typeof(PublishReport)];

    static Others Mute()
    {
        var others = new Others();
        foreach (var command in Commands)
            others.Silent[command] = true;
        return others;
    }

    /// <summary>One audit resting in each phase; nobody answers by himself.</summary>
    static async Task<IReadOnlyDictionary<string, Guid>> RestAsync(SagaHost host)
    {
        var resting = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var phase in AuditPhases.Live)
        {
            var request = Given.Request($"Brand{phase}");
            await host.SendAsync(request);
            resting[phase] = request.AuditId;
            for (var row = await host.UntilAsync(request.AuditId, row => row.IsLive); row.CurrentState != phase;)
            {
                var before = (row.CurrentState, row.DraftedLayers, row.OpenBatches.Count);
                await AnswerAsync(host, row);
                row = await host.UntilAsync(request.AuditId, now => (now.CurrentState, now.DraftedLayers, now.OpenBatches.Count) != before);
            }
        }

        return resting;
    }

    /// <summary>The next answer an audit waits for.</summary>
    static async Task AnswerAsync(SagaHost host, AuditState row)
    {
        var (id, attempt) = (row.CorrelationId, row.Attempt);
        switch (row.CurrentState)
        {
            case AuditStates.Admitting: await host.SendAsync(Given.Opened(id, attempt)); break;
            case AuditStates.Planning: await host.SendAsync(Given.Planned(id, attempt)); break;
            case AuditStates.Asking:
                var open = row.OpenBatches.Keys.First();
                await host.SendAsync(Given.Analyzed(await host.Others.UntilHeardAsync<AskEngine>(batch => batch.BatchId == open)));
                break;
            case AuditStates.Scoring: await host.SendAsync(Given.Scored(id, attempt)); break;
            case AuditStates.Advising: await host.SendAsync(Given.Drafted(id, row.DraftedLayers + 1, attempt)); break;
            case AuditStates.Publishing: await host.SendAsync(Given.Published(id, attempt)); break;
        }
    }

    [Fact]
    public async Task Should_go_on_with_the_answers_that_came_meanwhile()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        var others = Mute();
        await using var host = await SagaHost.StartAsync(AssayDatabase.PostgreSql(await postgres.CreateDatabaseAsync("stuck")), others);
        var resting = await RestAsync(host);
        var rows = await host.QueryAsync(db => db.Audits.AsNoTracking().ToArrayAsync());

        await postgres.KillAsync();
        foreach (var row in rows)
            await AnswerAsync(host, row);
        others.Silent.Clear();
        await postgres.StartServerAsync();

        // What was asked before and never answered is answered by hand; what is asked from now on is answered by itself.
        foreach (var row in rows.Where(row => row.CurrentState == AuditStates.Asking))
            foreach (var batch in row.OpenBatches.Keys.Skip(1))
                await host.SendAsync(Given.Analyzed(await others.UntilHeardAsync<AskEngine>(ask => ask.BatchId == batch)));
        foreach (var (phase, id) in resting)
            (await host.UntilAsync(id, row => !row.IsLive, seconds: 60)).CurrentState.ShouldBe(AuditStates.Completed, $"it rested in {phase}");
        foreach (var id in resting.Values)
        {
            others.All<OpenBudget>().Count(asked => asked.AuditId == id).ShouldBe(1);
            others.All<AskEngine>().Where(asked => asked.AuditId == id).Select(asked => asked.BatchId).ShouldBeUnique();
        }
    }

    [Fact]
    public async Task Should_fail_those_that_nobody_answers_any_more_and_ask_for_nothing_again()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        var others = Mute();
        await using var host = await SagaHost.StartAsync(AssayDatabase.PostgreSql(await postgres.CreateDatabaseAsync("stuck")), others, "AuditSaga:StallTimeout=00:00:20", "AuditSaga:WatchInterval=00:00:01", "AuditSaga:WatchGrace=00:00:02");
        var resting = await RestAsync(host);
        await postgres.KillAsync();
        await postgres.StartServerAsync();

        foreach (var (phase, id) in resting)
        {
            var row = await host.UntilAsync(id, row => !row.IsLive, seconds: 60);
            (row.CurrentState, row.FailureReason, row.EndedPhase, row.Attempt).ShouldBe((AuditStates.Failed, FailureReasons.Stalled, phase, 1));
            row.EndedBy.ShouldBeOneOf(Enders.Timeout, Enders.Watch);
            await others.UntilHeardAsync<AuditFailed>(failed => failed.AuditId == id);
            await others.UntilHeardAsync<CloseBudget>(close => close.AuditId == id);
        }

        // Nothing is asked for again: each command was said once.
        others.All<OpenBudget>().Select(m => (m.AuditId, m.Attempt)).ShouldBeUnique();
        others.All<PlanQueries>().Select(m => m.AuditId).ShouldBeUnique();
        others.All<AskEngine>().GroupBy(m => m.AuditId).ShouldAllBe(asked => asked.Count() == 2);
        others.All<ScoreAudit>().Select(m => m.AuditId).ShouldBeUnique();
        others.All<DraftInsights>().Select(m => (m.AuditId, m.Layer)).ShouldBeUnique();
        others.All<PublishReport>().Select(m => m.AuditId).ShouldBeUnique();
        (await host.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Theory]
    [InlineData("open_batches = 'no json'")]
    [InlineData("ancestry = '[1'")]
    [InlineData("scores = 'x', batch_ids = ''")]
    public async Task Should_end_an_unreadable_audit_by_the_emergency_statement(string corruption)
    {
        var others = new Others();
        others.Silent[typeof(AskEngine)] = true;
        var database = AssayDatabase.PostgreSql(await (await PrivatePostgres.Shared).CreateDatabaseAsync("unreadable"));
        await using var host = await SagaHost.StartAsync(database, others, "AuditSaga:WatchInterval=00:00:00.2", "AuditSaga:WatchGrace=00:00:00");
        var request = Given.Request();
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Asking);
#pragma warning disable EF1002 // The corruption is the test's own text.
        await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync($"UPDATE audit SET deadline_at = '2020-01-01 00:00:00Z', {corruption}"));
#pragma warning restore EF1002

        var failed = await others.UntilHeardAsync<AuditFailed>();
        (failed.Reason, failed.Phase).ShouldBe((FailureReasons.EmergencyRecovery, AuditStates.Asking));
        await others.UntilHeardAsync<CloseBudget>();
        await others.UntilHeardAsync<AlertRaised>(alert => alert.Kind == AlertKinds.WatchRescue);
        (await host.QueryAsync(db => db.Audits.Select(audit => audit.CurrentState).SingleAsync())).ShouldBe(AuditStates.Failed);
        (await host.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }
}
