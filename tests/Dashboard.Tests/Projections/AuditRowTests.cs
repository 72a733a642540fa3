using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Projections;

namespace Assay.Dashboard.Tests.Projections;

public sealed class MessagesInAnyOrder
{
    static readonly Guid Id = Guid.Parse("0199aaaa-0000-7000-8000-000000000001");

    static List<Action<AuditRow>> Completing() =>
    [
        row => row.Apply(Sample.Registered(Id)),
        row => row.Apply(Sample.Accepted(Id)),
        row => row.Apply(Sample.Transitioned(Id, 2, AuditStates.Planning, AuditStates.Asking)),
        row => row.Apply(Sample.Progressed(Id, AuditStates.Asking, 2, at: 10)),
        row => row.Apply(Sample.Transitioned(Id, 6, AuditStates.Publishing, AuditStates.Completed)),
        row => row.Apply(Sample.Budget(Id, 3, 40_000, final: true)),
        row => row.Apply(Sample.Completed(Id)),
    ];

    static List<Action<AuditRow>> FailingThenRetried() =>
    [
        row => row.Apply(Sample.Registered(Id)),
        row => row.Apply(Sample.Failed(Id)),
        row => row.Apply(Sample.Transitioned(Id, 3, AuditStates.Asking, AuditStates.Failed)),
        row => row.Apply(Sample.Registered(Id, attempt: 2, at: 100)),
        row => row.Apply(Sample.Accepted(Id, attempt: 2, at: 101)),
        row => row.Apply(Sample.Transitioned(Id, 4, AuditStates.Failed, AuditStates.Asking, attempt: 2)),
        row => row.Apply(Sample.Completed(Id, attempt: 2, at: 170)),
    ];

    static List<Action<AuditRow>> Refused() =>
    [
        row => row.Apply(Sample.Registered(Id)),
        row => row.Apply(Sample.Transitioned(Id, 1, "Initial", AuditStates.Admitting)),
        row => row.Apply(Sample.Progressed(Id, AuditStates.Admitting, 0, at: 1.5)),
        row => row.Apply(Sample.Transitioned(Id, 2, AuditStates.Admitting, AuditStates.Rejected)),
        row => row.Apply(Sample.Rejected(Id, RejectionReasons.SpendingHalted, at: 2)),
    ];

    static string Face(AuditRow row) => $"{row.Status} {row.Attempt} {row.EndedAt:s} {row.FailureReason} {row.SpentMicroUsd} {row.Brand} {row.Visibility} {row.StateSequence} {row.AcceptedAttempt} {row.RegisteredAt:s} {row.Decisions}";

    static string Project(IEnumerable<Action<AuditRow>> messages)
    {
        var row = new AuditRow { AuditId = Id, CreatedAt = Sample.Start };
        foreach (var message in messages)
            message(row);
        return Face(row);
    }

    [Theory]
    [InlineData("Completed 1")]
    [InlineData("Completed 2")]
    [InlineData("Rejected 1")]
    public void Should_end_in_the_same_row(string end)
    {
        var messages = end switch { "Completed 1" => Completing(), "Completed 2" => FailingThenRetried(), _ => Refused() };
        var expected = Project(messages);
        expected.ShouldStartWith(end);
        foreach (var order in Permutations(messages.Count))
            Project(order.Select(i => messages[i])).ShouldBe(expected, string.Join(',', order));
    }

    [Fact]
    public void Should_not_be_changed_by_duplicates()
    {
        var row = new AuditRow { AuditId = Id, CreatedAt = Sample.Start };
        foreach (var message in Completing())
            message(row);
        row.Decisions = 0;
        var before = Face(row);
        foreach (var message in Completing().Concat(Completing()))
            message(row);
        row.Decisions = 0;
        Face(row).ShouldBe(before);
    }

    static IEnumerable<int[]> Permutations(int n)
    {
        var items = Enumerable.Range(0, n).ToArray();
        return Walk(items, 0);

        static IEnumerable<int[]> Walk(int[] items, int at)
        {
            if (at == items.Length)
            {
                yield return [.. items];
                yield break;
            }

            for (var i = at; i < items.Length; i++)
            {
                (items[at], items[i]) = (items[i], items[at]);
                foreach (var result in Walk(items, at + 1))
                    yield return result;
                (items[at], items[i]) = (items[i], items[at]);
            }
        }
    }
}

public sealed class ARefusal
{
    static readonly Guid Id = Guid.CreateVersion7();

    static AuditRow Row(params Action<AuditRow>[] messages)
    {
        var row = new AuditRow { AuditId = Id, CreatedAt = Sample.Start };
        foreach (var message in messages)
            message(row);
        return row;
    }

    [Fact]
    public void Should_reject_a_new_request() =>
        Row(r => r.Apply(Sample.Registered(Id)), r => r.Apply(Sample.Rejected(Id, RejectionReasons.CeilingTooLow))).Status.ShouldBe(AuditStates.Rejected);

    [Fact]
    public void Should_reject_before_the_registration_is_known() =>
        Row(r => r.Apply(Sample.Rejected(Id, RejectionReasons.AlreadyRunning)), r => r.Apply(Sample.Registered(Id))).Status.ShouldBe(AuditStates.Rejected);

    [Fact]
    public void Should_not_touch_a_running_audit_when_its_id_is_reused()
    {
        var row = Row(r => r.Apply(Sample.Registered(Id)), r => r.Apply(Sample.Accepted(Id)), r => r.Apply(Sample.Transitioned(Id, 2, AuditStates.Planning, AuditStates.Asking)),
            r => r.Apply(Sample.Rejected(Id, RejectionReasons.AuditIdReused, at: 30)));
        row.Status.ShouldBe(AuditStates.Asking);
        row.RejectionReason.ShouldBe(RejectionReasons.AuditIdReused);
    }

    [Fact]
    public void Should_leave_a_failed_audit_failed_when_its_retry_is_refused() =>
        Row(r => r.Apply(Sample.Registered(Id)), r => r.Apply(Sample.Accepted(Id)), r => r.Apply(Sample.Failed(Id)), r => r.Apply(Sample.Rejected(Id, RejectionReasons.SpendingHalted, at: 90)))
            .Status.ShouldBe(AuditStates.Failed);

    [Fact]
    public void Should_be_lifted_when_the_id_is_sent_again_corrected() =>
        Row(r => r.Apply(Sample.Registered(Id)), r => r.Apply(Sample.Rejected(Id, RejectionReasons.UnknownEngine)), r => r.Apply(Sample.Registered(Id, at: 20)))
            .Status.ShouldBe(AuditStates.Admitting);
}

public sealed class TheCallsOfAnAudit
{
    static readonly Guid Id = Guid.CreateVersion7();
    static readonly AuditTransitioned End = Sample.Transitioned(Id, 9, AuditStates.Asking, AuditStates.Failed) with { CompletedCalls = 24, PlannedCalls = 24 };

    static (int Completed, int Planned) Shown(AuditRow row, params BatchProgressRow[] progress) => AuditReader.Describe(row, progress, []) is var status ? (status.CompletedCalls, status.PlannedCalls) : default;

    static AuditRow Row(params Action<AuditRow>[] messages)
    {
        var row = new AuditRow { AuditId = Id, CreatedAt = Sample.Start };
        foreach (var message in messages)
            message(row);
        return row;
    }

    static Action<AuditRow> Accepted => row => row.Apply(Sample.Accepted(Id) with { PlannedCalls = 46 });
    static Action<AuditRow> Progressed => row => row.Apply(Sample.Progressed(Id, AuditStates.Asking, 22, at: 5) with { PlannedCalls = 24 });
    static Action<AuditRow> Failed => row => row.Apply(Sample.Failed(Id));

    [Fact]
    public void Should_be_what_its_last_step_says_in_any_order()
    {
        Shown(Row(Accepted, Progressed, row => row.Apply(End), Failed)).ShouldBe((24, 24));
        Shown(Row(row => row.Apply(End), Progressed, Failed, Accepted)).ShouldBe((24, 24));
        Shown(Row(Progressed, Accepted)).ShouldBe((22, 24), "the panel's calls, whenever the acceptance comes");
    }

    [Fact]
    public void Should_be_told_anew_as_they_were_told_live()
    {
        var repair = new RepairReadModel { AuditId = Id, Attempt = 1, Registered = Sample.Registered(Id), Accepted = Sample.Accepted(Id) with { PlannedCalls = 46 }, Transitions = [End], Failed = Sample.Failed(Id), Pieces = false };
        Shown(Row(row => row.Restore(repair))).ShouldBe((24, 24), "after the row was lost");
        Shown(Row(Accepted, Progressed, row => row.Restore(repair with { Transitions = [] }))).ShouldBe((22, 24), "where the saga tells no counts");
    }

    [Fact]
    public void Should_all_be_completed_when_it_is() =>
        Shown(Row(Accepted, Progressed, row => row.Apply(Sample.Completed(Id)))).ShouldBe((24, 24));

    [Fact]
    public void Should_count_what_was_decided_after_it_ended_but_not_the_advisors()
    {
        static BatchProgressRow Batch(string engine, int decided) => new() { AuditId = Id, BatchId = Guid.CreateVersion7(), Attempt = 1, Engine = engine, DecidedCalls = decided, TotalCalls = 20 };
        Shown(Row(Accepted, row => row.Apply(End with { CompletedCalls = 12, PlannedCalls = 40 }), Failed), Batch("chatgpt", 9), Batch("claude", 7), Batch("advisor", 3)).ShouldBe((16, 40));
    }
}

public sealed class ALateMessage
{
    static readonly Guid Id = Guid.CreateVersion7();

    [Fact]
    public void Should_not_bring_an_ended_audit_back_to_life()
    {
        var row = new AuditRow { AuditId = Id, CreatedAt = Sample.Start };
        row.Apply(Sample.Registered(Id));
        row.Apply(Sample.Failed(Id));
        row.Apply(Sample.Transitioned(Id, 9, AuditStates.Asking, AuditStates.Scoring));
        row.Apply(Sample.Progressed(Id, AuditStates.Scoring, 4, at: 200));
        row.Apply(Sample.Accepted(Id));
        row.Status.ShouldBe(AuditStates.Failed);
        row.FailureReason.ShouldBe(FailureReasons.Stalled);
    }

    [Fact]
    public void Should_not_undo_the_ledgers_last_word()
    {
        var row = new AuditRow { AuditId = Id, CreatedAt = Sample.Start };
        row.Apply(Sample.Budget(Id, 5, 30_000, final: true));
        row.Apply(Sample.Budget(Id, 4, 90_000, final: false));
        row.Apply(Sample.Progressed(Id, AuditStates.Asking, 9, at: 10));
        row.SpentMicroUsd.ShouldBe(30_000);
        row.BudgetFinal.ShouldBeTrue();
    }
}
