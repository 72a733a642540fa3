using Assay.AuditSaga.Integrity;
using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Integrity;

public sealed class When_services_are_compared : IDisposable
{
    static readonly Guid Id = Guid.NewGuid();
    static readonly Guid Score = Guid.NewGuid();
    static readonly Guid Batch = Guid.NewGuid();
    static readonly DateTime Ended = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);
    static readonly SagaFact Completed = new(Id, 1, AuditStates.Completed, null, Accepted: true, Registered: true, 500, Score, [Batch], Ended);
    static readonly LedgerFact Ledger = new() { AuditId = Id, Attempt = 1, ClosedAttempt = 1, ReservedMicroUsd = 0, SpentMicroUsd = 500 };
    static readonly AnalysisFact Analysis = new() { AuditId = Id, BatchIds = [Batch], Answers = 6, ScoreIds = [Score] };
    static readonly ReadModelFact Shown = new() { AuditId = Id, Attempt = 1, Status = AuditStates.Completed, SpentMicroUsd = 500, Answers = 6, ScoreId = Score, Deleted = false };

    readonly string folder = Directory.CreateTempSubdirectory("assay-saga-").FullName;

    static string[] Kinds(SagaFact saga, LedgerFact? ledger, AnalysisFact? analysis, ReadModelFact? shown) =>
        [.. IntegrityRules.Compare(saga, Answer(ledger, f => f.AuditId), Answer(analysis, f => f.AuditId), Answer(shown, f => f.AuditId)).Select(difference => difference.Kind)];

    static Answered<T> Answer<T>(T? fact, Func<T, Guid> id) where T : class => new(fact is null ? new Dictionary<Guid, T>() : new() { [id(fact)] = fact });

    [Fact]
    public void Should_find_nothing_where_all_agree() => Kinds(Completed, Ledger, Analysis, Shown).ShouldBeEmpty();

    [Fact]
    public void Should_find_each_difference()
    {
        Kinds(Completed, null, Analysis, Shown).ShouldBe([IntegrityKinds.LedgerMissing]);
        Kinds(Completed, Ledger with { ClosedAttempt = 0 }, Analysis, Shown).ShouldBe([IntegrityKinds.BudgetOpen]);
        Kinds(Completed, Ledger with { ClosedAttempt = 0, Refused = true }, Analysis, Shown).ShouldBeEmpty();
        Kinds(Completed, Ledger with { SpentMicroUsd = 501 }, Analysis, Shown).ShouldBe([IntegrityKinds.SpendingDiffers, IntegrityKinds.SpendingShownDiffers]);
        Kinds(Completed, Ledger, null, Shown).ShouldBe([IntegrityKinds.AnalysisMissing]);
        Kinds(Completed, Ledger, Analysis with { BatchIds = [] }, Shown).ShouldBe([IntegrityKinds.AnalysisMissing]);
        Kinds(Completed, Ledger, Analysis, null).ShouldBe([IntegrityKinds.ReadModelMissing]);
        Kinds(Completed, Ledger, Analysis, Shown with { Status = AuditStates.Asking }).ShouldBe([IntegrityKinds.StateShownDiffers]);
        Kinds(Completed, Ledger, Analysis, Shown with { SpentMicroUsd = 1 }).ShouldBe([IntegrityKinds.SpendingShownDiffers]);
        Kinds(Completed, Ledger, Analysis, Shown with { Answers = 5 }).ShouldBe([IntegrityKinds.ResultShownDiffers]);
        Kinds(Completed with { State = AuditStates.Failed, FailureReason = "Stalled" }, Ledger, Analysis, Shown with { Status = AuditStates.Failed, FailureReason = "Fault" }).ShouldBe([IntegrityKinds.StateShownDiffers]);
    }

    [Fact]
    public void Should_not_miss_what_is_missing_on_purpose()
    {
        Kinds(Completed, Ledger, null, new ReadModelFact { AuditId = Id, Attempt = 0, Status = "Deleted", SpentMicroUsd = 0, Answers = 0, Deleted = true }).ShouldBeEmpty("a person deleted it");
        Kinds(Completed with { State = AuditStates.Rejected, Accepted = false, Registered = false, ScoreId = null, BatchIds = [] }, null, null, null).ShouldBeEmpty("an invalid request is nowhere else");
        IntegrityRules.Compare(Completed, null, null, null).ShouldBeEmpty("nobody answered");
    }

    [Theory]
    [InlineData(1.9, false)]
    [InlineData(2, true)]
    public void Should_leave_alone_what_ended_just_now(double minutesAgo, bool settled)
    {
        IntegrityRules.IsSettled(Completed, Ended.AddMinutes(minutesAgo), TimeSpan.FromMinutes(2)).ShouldBe(settled);
        IntegrityRules.IsSettled(Completed with { EndedAt = null }, Ended.AddDays(1), TimeSpan.FromMinutes(2)).ShouldBeFalse("it lives");
    }

    [Fact]
    public void Should_page_through_the_saga_then_through_the_others()
    {
        var cursor = IntegrityCursor.Parse(null);
        cursor.Then([Id, Score], pageSize: 2).ShouldBe($"audits/{Score}");
        var seen = new List<string>();
        for (string? at = cursor.Then([Id], 2); at is not null; at = IntegrityCursor.Parse(at).Then([], 2))
            seen.Add(at.Split('/')[0]);
        seen.ShouldBe(["ledger", "analysis", "read-model"]);
        Should.Throw<FormatException>(() => IntegrityCursor.Parse("ledger/no id")).Message.ShouldContain("leave the cursor out");
    }

    [Fact]
    public async Task Should_tell_a_person_once_a_day_of_each_kind_of_difference()
    {
        // Nobody else holds anything: the others answer, with nothing.
        await using var host = await SagaHost.StartAsync(AssayDatabase.Sqlite(Path.Combine(folder, "saga.db")), null, "AuditSaga:IntegritySettle=00:00:00");
        foreach (var brand in new[] { "Anker", "Bose" })
        {
            var request = Given.Request(brand);
            await host.SendAsync(request);
            await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Completed);
        }

        (await host.CompareServicesAsync()).ShouldBeTrue();
        await host.QueryAsync(db => db.IntegrityRounds.ExecuteUpdateAsync(set => set.SetProperty(round => round.DueAt, DateTime.UtcNow)));
        (await host.CompareServicesAsync()).ShouldBeTrue("the next day has come");
        var missing = await host.Others.UntilHeardAsync<AlertRaised>(alert => alert.Subject == IntegrityKinds.LedgerMissing);
        missing.Kind.ShouldBe(AlertKinds.IntegrityDifference);
        missing.Detail.ShouldStartWith("LedgerMissing: 2 audits");
        await host.Others.UntilHeardAsync<AlertRaised>(alert => alert.Subject == IntegrityKinds.ReadModelMissing);
        host.Others.All<AlertRaised>().Where(alert => alert.Subject == IntegrityKinds.LedgerMissing).Select(alert => alert.AlertId).Distinct().ShouldHaveSingleItem();
        var repair = await host.Others.UntilHeardAsync<RepairReadModel>();
        repair.Completed!.Scores.ShouldNotBeEmpty();
        repair.Registered!.Request.Brand.Name.ShouldBeOneOf("Anker", "Bose");
        var live = await host.Others.UntilHeardAsync<AuditTransitioned>(step => step.AuditId == repair.AuditId && step.To == AuditStates.Completed);
        live.PlannedCalls.ShouldNotBeNull().ShouldBeLessThan(repair.Accepted!.PlannedCalls, "the advisor's calls were reserved for too");
        live.CompletedCalls.ShouldBe(live.PlannedCalls);
        (repair.Transitions[^1].CompletedCalls, repair.Transitions[^1].PlannedCalls).ShouldBe((live.CompletedCalls, live.PlannedCalls));
        repair.Transitions.SkipLast(1).ShouldAllBe(step => step.PlannedCalls == null);
        repair.Transitions.Select(step => step.To).ShouldBe([AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing, AuditStates.Completed]);
    }

    [Fact]
    public async Task Should_tell_how_the_attempts_before_the_last_ended()
    {
        await using var host = await SagaHost.StartAsync(AssayDatabase.Sqlite(Path.Combine(folder, "saga.db")), null, "AuditSaga:IntegritySettle=00:00:00");
        var request = Given.Request();
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Completed);
        await host.QueryAsync(async db =>
        {
            // As after a stall and a retry: the row says how the second attempt ended, the transitions remember the first.
            db.AuditTransitions.Add(Step(request.AuditId, 1, AuditStates.Asking, AuditStates.Failed, nameof(AuditStalled), sequence: 90));
            await db.SaveChangesAsync();
            return await db.Audits.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Attempt, 2));
        });

        (await host.CompareServicesAsync()).ShouldBeTrue();
        var repair = await host.Others.UntilHeardAsync<RepairReadModel>();
        repair.Attempt.ShouldBe(2);
        repair.EarlierEnds.ShouldHaveSingleItem().ShouldBe(new EarlierEnd { Attempt = 1, Status = AuditStates.Failed, Phase = AuditStates.Asking, Trigger = nameof(AuditStalled), Reason = FailureReasons.Stalled, EndedAt = Ended });
    }

    [Theory]
    [InlineData(AuditStates.Cancelled, "CancelAudit", "Cancelled")]
    [InlineData(AuditStates.Failed, "AuditStalled", FailureReasons.Stalled)]
    [InlineData(AuditStates.Failed, "AuditDeadlinePassed", FailureReasons.DeadlinePassed)]
    [InlineData(AuditStates.Failed, "BudgetRefused", FailureReasons.BudgetRefused)]
    [InlineData(AuditStates.Failed, "QueriesPlanned", FailureReasons.PlanFailed)]
    [InlineData(AuditStates.Failed, "AnswersAnalyzed", FailureReasons.InsufficientCoverage)]
    [InlineData(AuditStates.Failed, "Fault<AskEngine>", FailureReasons.Fault)]
    [InlineData(AuditStates.Failed, "DeadlineWatch", null)]
    public void Should_name_the_reason_of_an_earlier_attempt_where_only_one_is_possible(string status, string trigger, string? reason)
    {
        var end = EarlierAttempts.EndsOf([Step(Id, 1, AuditStates.Planning, AuditStates.Asking, "QueriesPlanned", 2), Step(Id, 1, AuditStates.Asking, status, trigger, 3)], attempt: 2).ShouldHaveSingleItem();
        (end.Status, end.Reason, end.Phase, end.Trigger, end.EndedAt).ShouldBe((status, reason, AuditStates.Asking, trigger, Ended));
        EarlierAttempts.EndsOf([Step(Id, 1, AuditStates.Asking, status, trigger, 3)], attempt: 1).ShouldBeEmpty("the last attempt tells of its end itself");
    }

    static AuditTransition Step(Guid auditId, int attempt, string from, string to, string trigger, int sequence) =>
        new() { AuditId = auditId, Attempt = attempt, Sequence = sequence, FromState = from, ToState = to, Trigger = trigger, Worker = "w", At = Ended, ElapsedMs = 1 };

    public void Dispose() => Directory.Delete(folder, recursive: true);
}

/// <summary>Several instances, one comparison a day.</summary>
[Trait("Needs", "Servers")]
public class When_several_instances_could_compare
{
    static async Task<AssayDatabase> DatabaseAsync() => AssayDatabase.PostgreSql(await (await PrivatePostgres.Shared).CreateDatabaseAsync("integrity"));

    [Fact]
    public async Task Should_let_one_of_them_do_it()
    {
        var database = await DatabaseAsync();
        await using var a = await SagaHost.StartAsync(database);
        await using var b = await SagaHost.StartAsync(database);

        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? a : b).CompareServicesAsync()));

        made.Count(one => one).ShouldBe(1);
        var round = await a.QueryAsync(db => db.IntegrityRounds.AsNoTracking().SingleAsync());
        (round.DueAt - round.ComparedAt!.Value).ShouldBe(TimeSpan.FromDays(1));
    }

    [Fact]
    public async Task Should_take_the_round_of_one_that_died_in_it()
    {
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        await using var host = await SagaHost.StartAsync(await DatabaseAsync(), null, clock);
        await host.QueryAsync(async db =>
        {
            db.IntegrityRounds.Add(new IntegrityRound { DueAt = clock.Now + IntegrityRounds.Claim, Worker = "one that died" });
            return await db.SaveChangesAsync();
        });

        (await host.CompareServicesAsync()).ShouldBeFalse("it may still be at work");
        clock.Advance(IntegrityRounds.Claim);
        (await host.CompareServicesAsync()).ShouldBeTrue();
        (await host.CompareServicesAsync()).ShouldBeFalse("it is done for today");
    }

    [Fact]
    public async Task Should_leave_a_round_that_another_has_begun_anew()
    {
        await using var host = await SagaHost.StartAsync(await DatabaseAsync());
        (await host.RoundAsync(rounds => rounds.TakeAsync("slow", CancellationToken.None))).ShouldBeTrue();
        await host.QueryAsync(db => db.IntegrityRounds.ExecuteUpdateAsync(set => set.SetProperty(round => round.DueAt, DateTime.UtcNow.AddMinutes(-1))));
        (await host.RoundAsync(rounds => rounds.TakeAsync("quick", CancellationToken.None))).ShouldBeTrue();

        (await host.RoundAsync(rounds => rounds.RenewAsync("slow", CancellationToken.None))).ShouldBeFalse();
        (await host.RoundAsync(rounds => rounds.RenewAsync("quick", CancellationToken.None))).ShouldBeTrue();
    }

    [Fact]
    public async Task Should_never_hold_a_second_round()
    {
        await using var host = await SagaHost.StartAsync(await DatabaseAsync());
        await Should.ThrowAsync<DbUpdateException>(() => host.QueryAsync(async db =>
        {
            db.IntegrityRounds.Add(new IntegrityRound { Id = 2, DueAt = DateTime.UtcNow });
            return await db.SaveChangesAsync();
        }));
    }
}
