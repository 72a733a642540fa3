using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.OpenBudget;

public sealed class AllocatingABudget
{
    static readonly HashSet<string> NothingBlocked = [];

    [Fact]
    public void Should_open_what_fits() =>
        AllocationDecision.Of(40, [new("day:d", 100, 60, 0), new("tree:t", 50, 0, 10)], NothingBlocked).Verdict.ShouldBe(Allocation.Open);

    [Fact]
    public void Should_wait_for_what_is_only_allocated_to_others() =>
        AllocationDecision.Of(40, [new("day:d", 100, 61, 0)], NothingBlocked).ShouldBe(new AllocationDecision(Allocation.Wait, "day:d"));

    [Fact]
    public void Should_refuse_only_what_is_spent() =>
        AllocationDecision.Of(40, [new("day:d", 100, 0, 61)], NothingBlocked).ShouldBe(new AllocationDecision(Allocation.Refuse, "day:d"));

    [Fact]
    public void Should_not_overtake_who_waits_for_the_same_scope() =>
        AllocationDecision.Of(1, [new("day:d", 100, 61, 0)], new HashSet<string> { "day:d" }).Verdict.ShouldBe(Allocation.Wait);

    [Fact]
    public void Should_pass_who_waits_for_another_scope() =>
        AllocationDecision.Of(1, [new("day:d", 100, 61, 0)], new HashSet<string> { "tree:other" }).Verdict.ShouldBe(Allocation.Open);

    [Fact]
    public void Should_open_at_once_where_nothing_is_needed() =>
        AllocationDecision.Of(0, [new("day:d", 100, 100, 0)], new HashSet<string> { "day:d" }).Verdict.ShouldBe(Allocation.Open);
}
