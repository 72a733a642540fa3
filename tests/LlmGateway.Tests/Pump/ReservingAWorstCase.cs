using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.Pump;

public sealed class ReservingAWorstCase
{
    static readonly SpendingView Wide = new("tree:x", 1000, 0, 0);

    [Fact]
    public void Should_go_inside_the_allocation() =>
        ReservationDecision.Of(10, allocated: 50, reserved: 40, new("audit:x", 100, 40, 0), [new("day:x", 50, 50, 0)]).ShouldBe(new ReservationDecision(Reservation.Go, 0));

    [Fact]
    public void Should_grow_the_allocation_where_tree_and_day_have_room() =>
        ReservationDecision.Of(10, allocated: 45, reserved: 40, new("audit:x", 100, 40, 0), [Wide]).ShouldBe(new ReservationDecision(Reservation.Go, 5));

    [Fact]
    public void Should_wait_while_open_calls_of_the_audit_hold_the_room() =>
        ReservationDecision.Of(10, allocated: 100, reserved: 95, new("audit:x", 100, 95, 0), [Wide]).Verdict.ShouldBe(Reservation.Wait);

    [Fact]
    public void Should_decline_what_the_audit_has_spent() =>
        ReservationDecision.Of(10, allocated: 10, reserved: 0, new("audit:x", 100, 0, 95), [Wide]).Verdict.ShouldBe(Reservation.Decline);

    [Fact]
    public void Should_wait_while_other_audits_hold_the_day() =>
        ReservationDecision.Of(10, allocated: 0, reserved: 0, new("audit:x", 100, 0, 0), [Wide, new("day:x", 100, 95, 0)]).Verdict.ShouldBe(Reservation.Wait);

    [Fact]
    public void Should_decline_what_the_day_has_spent() =>
        ReservationDecision.Of(10, allocated: 0, reserved: 0, new("audit:x", 100, 0, 0), [Wide, new("day:x", 100, 0, 95)]).Verdict.ShouldBe(Reservation.Decline);
}
