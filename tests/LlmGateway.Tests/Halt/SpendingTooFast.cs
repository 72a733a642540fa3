namespace Assay.LlmGateway.Halt;

public sealed class SpendingTooFast
{
    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(100, 100, false)]
    [InlineData(200, 100, false)]
    [InlineData(201, 100, true)]
    [InlineData(1, 0, true)]
    public void Should_halt_only_what_no_open_plan_could_cost(long burned, long planned, bool tooFast) => BurnRateGuard.IsTooFast(burned, planned, multiple: 2).ShouldBe(tooFast);
}
