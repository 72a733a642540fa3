using Assay.AuditSaga.Alerts;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Tests.Alerts;

public class When_a_person_should_hear_of_something
{
    static IReadOnlyList<AlertRaised> Alerts(AuditBench bench, string kind) => [.. bench.All<AlertRaised>().Where(alert => alert.Kind == kind)];

    [Fact]
    public async Task Should_say_nothing_of_an_audit_that_goes_well()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Completed);
        bench.All<AlertRaised>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_tell_every_failure_with_its_reason()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        bench.Clock.Advance(31);
        await bench.FireDueTimersAsync();

        var alert = Alerts(bench, AlertKinds.AuditFailed).ShouldHaveSingleItem();
        (alert.AuditId, alert.Attempt, alert.Subject).ShouldBe((id, 1, (await bench.RowAsync(id)).FailureReason!));
        alert.Detail.ShouldBe((await bench.RowAsync(id)).FailureDetail);
        Alerts(bench, AlertKinds.WatchRescue).ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_tell_of_a_third_attempt_and_give_each_failure_an_id_of_its_own()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Planning);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            bench.Clock.Advance(31);
            await bench.FireDueTimersAsync();
            Alerts(bench, AlertKinds.AuditFailed).Count.ShouldBe(attempt);
            Alerts(bench, AlertKinds.ManyAttempts).Count.ShouldBe(attempt == 3 ? 1 : 0);
            await bench.DeliverAsync(Given.Retry(id, attempt));
        }

        Alerts(bench, AlertKinds.AuditFailed).Select(alert => alert.AlertId).ShouldBeUnique();
        var many = Alerts(bench, AlertKinds.ManyAttempts).ShouldHaveSingleItem();
        (many.Attempt, many.Subject).ShouldBe((3, "3"));
    }

    [Fact]
    public async Task Should_tell_of_a_budget_that_could_not_be_closed_and_change_nothing_else()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Completed);
        await bench.DeliverAsync(Given.Fault(bench.Last<CloseBudget>()));

        Alerts(bench, AlertKinds.BudgetNotClosed).ShouldHaveSingleItem().Detail.ShouldContain("close-budget_error");
        (await bench.RowAsync(id)).CurrentState.ShouldBe(AuditStates.Completed);
    }

    [Fact]
    public async Task Should_tell_of_a_lineage_deeper_than_usual()
    {
        await using var bench = await AuditBench.CreateAsync(o => o.AlertAboveDepth = 1);
        var parent = await bench.ToAsync(AuditStates.Completed);
        var child = await bench.ToAsync(AuditStates.Completed, Given.Request("Bose") with { ParentAuditId = parent });
        Alerts(bench, AlertKinds.DeepLineage).ShouldBeEmpty();
        var grandchild = await bench.ToAsync(AuditStates.Admitting, Given.Request("Sennheiser") with { ParentAuditId = child });

        var alert = Alerts(bench, AlertKinds.DeepLineage).ShouldHaveSingleItem();
        (alert.AuditId, alert.Subject).ShouldBe((grandchild, "2"));
    }

    [Fact]
    public async Task Should_tell_of_money_beyond_a_reservation_as_one_alert()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await bench.ToAsync(AuditStates.Asking);
        await bench.DeliverAsync(Given.Reported(id, version: 1, spent: 10));
        Alerts(bench, AlertKinds.Overrun).ShouldBeEmpty();

        await bench.DeliverAsync(Given.Reported(id, version: 2, spent: 20) with { OverrunMicroUsd = 1_500_000 });
        await bench.DeliverAsync(Given.Reported(id, version: 3, spent: 30) with { OverrunMicroUsd = 1_600_000 });
        Alerts(bench, AlertKinds.Overrun).Select(alert => alert.AlertId).Distinct().ShouldHaveSingleItem();
        Alerts(bench, AlertKinds.Overrun)[0].Detail.ShouldContain("1.5");
    }

    [Fact]
    public async Task Should_tell_once_a_window_of_refusals_above_the_rate()
    {
        await using var bench = await AuditBench.CreateAsync(o => o.AlertAboveRefusals = 3);
        await bench.ToAsync(AuditStates.Asking);
        for (var i = 0; i < 8; i++)
            await bench.RequestAsync();

        var alert = Alerts(bench, AlertKinds.ManyRefusals).ShouldHaveSingleItem();
        (alert.AuditId, alert.Subject).ShouldBe((null, RejectionReasons.AlreadyRunning));
        bench.All<AuditRejected>().Count.ShouldBe(8);

        bench.Clock.Advance(10);
        for (var i = 0; i < 8; i++)
            await bench.RequestAsync();
        Alerts(bench, AlertKinds.ManyRefusals).Select(a => a.AlertId).ShouldBeUnique();
        Alerts(bench, AlertKinds.ManyRefusals).Count.ShouldBe(2);
    }

    [Fact]
    public void Should_be_one_alert_when_two_instances_count_the_same_refusals()
    {
        var clock = new ManualClock();
        var options = Microsoft.Extensions.Options.Options.Create(new AuditSagaOptions { AlertAboveRefusals = 1 });
        RefusalRate[] instances = [new(options, clock), new(options, clock)];
        var alerts = instances.SelectMany(instance => Enumerable.Range(0, 3).Select(_ => instance.Count("AlreadyRunning"))).OfType<AlertRaised>().ToArray();
        alerts.Length.ShouldBe(2);
        alerts.Select(alert => alert.AlertId).Distinct().ShouldHaveSingleItem();
    }
}
