using Assay.Contracts;

namespace Assay.Chaos;

/// <summary>A checker that cannot find anything proves nothing: each rule is shown the facts it exists for.</summary>
public sealed class TheChecker
{
    static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);
    static readonly Guid Id = Guid.Parse("11111111-1111-1111-1111-111111111111");
    static readonly Guid Score = Guid.Parse("22222222-2222-2222-2222-222222222222");
    static readonly ChaosSettings Settings = ChaosSettings.Of(Profile.Short);

    /// <summary>One audit, completed, with one call that cost 100 µ$.</summary>
    static readonly Facts Sound = new()
    {
        At = Noon.AddMinutes(5),
        Faults = [],
        Halts = [],
        Asked = new Dictionary<Guid, DateTime> { [Id] = Noon },
        Audits = [new SagaRow(Id, AuditStates.Completed, 1, Noon.AddMinutes(1), Noon.AddSeconds(5), Noon.AddSeconds(5), null, null, "completion", Score, HasScores: true, IsGuarded: false)],
        Transitions = [new TransitionRow(Id, 1, 1, "Initial", AuditStates.Admitting, Noon), new TransitionRow(Id, 2, 1, AuditStates.Publishing, AuditStates.Completed, Noon.AddSeconds(5))],
        Calls = [new CallRow("k", Id, "Answered", null, 0, 100, HasText: true)],
        Tries = [new TryRow(Guid.NewGuid(), "k", Id, "fake", 0, "Answered", null, 500, 100, Noon.AddSeconds(1))],
        Scopes = [new ScopeRow($"audit:{Id:D}", 1000, 0, 100, 0), new ScopeRow("day:2026-01-01", 100_000, 0, 100, 0)],
        Budgets = [new BudgetRow(Id, "Closed", 1, 0, 0)],
        Views = [new ViewRow(Id, AuditStates.Completed, 1, 1, Score, BudgetFinal: true, 100)],
        ScoresKept = new HashSet<Guid> { Score },
        Heard = [new HeardEvent(Id, 1, AuditStates.Completed, null, Noon.AddSeconds(5), Noon.AddSeconds(6))],
        Bill = new Bill(0.0001m, 1, 0, new Dictionary<string, int>(StringComparer.Ordinal) { ["k"] = 1 }),
        ProviderCalls = [new ProviderCall("k", Noon.AddSeconds(1), null, Gone: false)],
        InErrorQueues = 0,
        ParkedMessages = 0,
    };

    static Facts InDoubt => Sound with
    {
        Calls = [Sound.Calls[0] with { State = "InDoubt", Spent = 500, HasText = false }],
        Tries = [Sound.Tries[0] with { State = "InDoubt", Reason = "OwnerLost", Spent = 500 }],
        Scopes = [Sound.Scopes[0] with { Spent = 500 }],
        Views = [Sound.Views[0] with { Spent = 500 }],
    };

    static Fault Killed(string service) => new() { At = TimeSpan.Zero, For = TimeSpan.Zero, Kind = FaultKind.Kill, Service = service };

    static DoneFault Done(Fault fault, double seconds = 2) => new(fault, Noon.AddSeconds(1.1), Noon.AddSeconds(1.1 + seconds));

    [Fact]
    public void Should_find_nothing_in_sound_facts() => Checker.Check(Sound, Settings).Violations.ShouldBeEmpty();

    [Fact]
    public void Should_find_an_audit_that_does_not_end()
    {
        var verdict = Checker.Check(Sound with { Audits = [Sound.Audits[0] with { State = AuditStates.Asking, CompletedAt = null, EndedAt = null, IsGuarded = true }], Transitions = [] }, Settings);
        verdict.Stuck.ShouldBe(1);
        verdict.Violations.ShouldNotBeEmpty();
    }

    [Fact]
    public void Should_find_a_request_that_was_lost() => Checker.Check(Sound with { Audits = [] }, Settings).Stuck.ShouldBe(1);

    [Fact]
    public void Should_find_an_attempt_that_ended_twice()
    {
        Checker.Check(Sound with { Transitions = [.. Sound.Transitions, new TransitionRow(Id, 3, 1, AuditStates.Completed, AuditStates.Failed, Noon)] }, Settings).FinishedTwice.ShouldBe(1);
        Checker.Check(Sound with { Heard = [.. Sound.Heard, new HeardEvent(Id, 1, AuditStates.Failed, "Stalled", Noon, Noon)] }, Settings).FinishedTwice.ShouldBe(1);
        Checker.Check(Sound with { Heard = [.. Sound.Heard, .. Sound.Heard] }, Settings).FinishedTwice.ShouldBe(0);
    }

    [Fact]
    public void Should_find_an_end_that_nobody_was_told() => Checker.Check(Sound with { Heard = [] }, Settings).Unheard.ShouldBe(1);

    [Fact]
    public void Should_find_a_call_that_was_paid_twice_unless_it_was_permitted()
    {
        var twice = Sound with { Bill = Sound.Bill with { BilledById = new Dictionary<string, int>(StringComparer.Ordinal) { ["k"] = 2 } } };
        Checker.Check(twice, Settings).DuplicatesPaid.ShouldBe(1);
        Checker.Check(twice with { Tries = [Sound.Tries[0] with { Permitted = 1 }] }, Settings).DuplicatesPaid.ShouldBe(0);
    }

    [Fact]
    public void Should_find_a_call_that_the_ledger_does_not_know() =>
        Checker.Check(Sound with { Bill = Sound.Bill with { BilledById = new Dictionary<string, int>(StringComparer.Ordinal) { ["k"] = 1, ["other"] = 1 } } }, Settings).Violations.ShouldHaveSingleItem().ShouldContain("does not know");

    [Fact]
    public void Should_find_doubt_that_no_fault_explains()
    {
        Checker.Check(InDoubt, Settings).InDoubtUnexplained.ShouldBe(1);
        Checker.Check(InDoubt with { Faults = [Done(Killed("AuditSaga")), Done(Killed("Analyzer")), Done(Killed("Dashboard")), Done(Killed("LlmGateway") with { Service = null, Kind = FaultKind.KillBroker })] }, Settings).InDoubtUnexplained.ShouldBe(1);
        Checker.Check(InDoubt with { Faults = [Done(Killed("LlmGateway"))] }, Settings).InDoubtUnexplained.ShouldBe(0);
        Checker.Check(InDoubt with { ProviderCalls = [Sound.ProviderCalls[0] with { Fault = "hang" }] }, Settings).InDoubtUnexplained.ShouldBe(0);
        Checker.Check(InDoubt with { ProviderCalls = [Sound.ProviderCalls[0] with { Fault = "429" }] }, Settings).InDoubtUnexplained.ShouldBe(1);
    }

    [Fact]
    public void Should_allow_doubt_after_a_database_outage_only_if_it_outlasted_the_lease()
    {
        var killed = new Fault { At = TimeSpan.Zero, For = TimeSpan.Zero, Kind = FaultKind.KillDatabase };
        Checker.Check(InDoubt with { Faults = [Done(killed, seconds: 3)] }, Settings).InDoubtUnexplained.ShouldBe(1);
        Checker.Check(InDoubt with { Faults = [Done(killed, seconds: 12)] }, Settings).InDoubtUnexplained.ShouldBe(0);
    }

    [Fact]
    public void Should_allow_one_doubt_for_each_request_that_was_lost_on_a_connection_from_a_fault()
    {
        var halfOpen = new Fault { At = TimeSpan.Zero, For = TimeSpan.Zero, Kind = FaultKind.HalfOpen, Service = "LlmGateway", Link = Server.Provider };
        // The fault was over 28 s before the call was sent, on a connection that had lain idle since.
        var late = InDoubt with
        {
            Faults = [new DoneFault(halfOpen, Noon, Noon.AddSeconds(2))],
            Tries = [InDoubt.Tries[0] with { SentAt = Noon.AddSeconds(30), Reason = "ConnectionLost" }],
        };
        Checker.Check(late, Settings).InDoubtUnexplained.ShouldBe(1);
        var explained = Checker.Check(late with { LostRequests = [Noon.AddSeconds(30.1)] }, Settings);
        (explained.InDoubtUnexplained, explained.InDoubtLate).ShouldBe((0, 1));
        Checker.Check(late with { LostRequests = [Noon.AddSeconds(29), Noon.AddSeconds(32)] }, Settings).InDoubtUnexplained.ShouldBe(1);
        var two = late with { Tries = [late.Tries[0], late.Tries[0] with { TryId = Guid.NewGuid() }], LostRequests = [Noon.AddSeconds(30.1)] };
        Checker.Check(two, Settings).InDoubtUnexplained.ShouldBe(1);
    }

    [Theory]
    [InlineData(0.0005)]
    [InlineData(0.00005)]
    public void Should_find_a_bill_that_is_not_the_ledgers(double usd) => Checker.Check(Sound with { Bill = Sound.Bill with { Usd = (decimal)usd } }, Settings).Violations.ShouldNotBeEmpty();

    [Fact]
    public void Should_find_a_process_that_ended_by_itself() => Checker.Check(Sound with { EndedByThemselves = ["AuditSaga/0"] }, Settings).Violations.ShouldHaveSingleItem();

    [Fact]
    public void Should_find_spending_above_a_ceiling()
    {
        Checker.Check(Sound with { Scopes = [Sound.Scopes[0] with { Ceiling = 60 }] }, Settings).OvershootMicroUsd.ShouldBe(40);
        Checker.Check(Sound with { Scopes = [Sound.Scopes[0] with { Overrun = 7 }] }, Settings).OvershootMicroUsd.ShouldBe(7);
    }

    [Fact]
    public void Should_find_a_call_that_left_after_a_halt()
    {
        Checker.Check(Sound with { Halts = [new Halt(Noon.AddSeconds(-1), Noon.AddSeconds(30))] }, Settings).SentAfterHalt.ShouldBe(1);
        Checker.Check(Sound with { Halts = [new Halt(Noon.AddSeconds(0.5), Noon.AddSeconds(30))] }, Settings).SentAfterHalt.ShouldBe(0);
        Checker.Check(Sound with { Halts = [new Halt(Noon.AddSeconds(-9), Noon.AddSeconds(0.5))] }, Settings).SentAfterHalt.ShouldBe(0);
    }

    public static TheoryData<string> Contradictions => [.. Contradictory.Keys];

    static readonly Dictionary<string, Func<Facts, Facts>> Contradictory = new(StringComparer.Ordinal)
    {
        ["completed without a time"] = facts => facts with { Audits = [facts.Audits[0] with { CompletedAt = null }] },
        ["completed without scores"] = facts => facts with { Audits = [facts.Audits[0] with { HasScores = false }] },
        ["failed without a reason"] = facts => facts with { Audits = [facts.Audits[0] with { State = AuditStates.Failed, CompletedAt = null }] },
        ["ended and still guarded"] = facts => facts with { Audits = [facts.Audits[0] with { IsGuarded = true }] },
        ["a history that ends elsewhere"] = facts => facts with { Transitions = [facts.Transitions[0]] },
        ["a score that the Analyzer does not have"] = facts => facts with { ScoresKept = new HashSet<Guid>() },
        ["answered without an answer"] = facts => facts with { Calls = [facts.Calls[0] with { HasText = false }] },
        ["a call that cost other than its tries"] = facts => facts with { Calls = [facts.Calls[0] with { Spent = 99 }] },
        ["a call that is still planned"] = facts => facts with { Calls = [facts.Calls[0] with { State = "Planned" }] },
        ["a budget that is still open"] = facts => facts with { Budgets = [facts.Budgets[0] with { State = "Open", Allocated = 10 }] },
        ["money still reserved"] = facts => facts with { Scopes = [facts.Scopes[0] with { Reserved = 10 }] },
        ["a day with money still reserved"] = facts => facts with { Scopes = [facts.Scopes[0], facts.Scopes[1] with { Reserved = 10 }] },
        ["a read model that shows another state"] = facts => facts with { Views = [facts.Views[0] with { Status = AuditStates.Asking }] },
        ["a read model without the audit"] = facts => facts with { Views = [] },
        ["a read model without the report"] = facts => facts with { Views = [facts.Views[0] with { ReportAttempt = 0 }] },
        ["a read model with other money"] = facts => facts with { Views = [facts.Views[0] with { Spent = 99 }] },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Should_find_contradictory_rows(string what) => Checker.Check(Contradictory[what](Sound), Settings).ContradictoryRows.ShouldBeGreaterThan(0, what);
}
