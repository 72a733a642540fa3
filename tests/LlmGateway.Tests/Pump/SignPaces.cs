namespace Assay.LlmGateway.Pump;

public sealed class SignPaces
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(25, 1)]
    [InlineData(100, 4)]
    [InlineData(4000, 10)]
    public void Should_thin_out_where_many_batches_are_open(int openBatches, double seconds) =>
        SignPace.IntervalFor(openBatches, TimeSpan.FromSeconds(10)).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void Should_keep_to_a_shorter_limit() => SignPace.IntervalFor(1, TimeSpan.FromSeconds(0.5)).ShouldBe(TimeSpan.FromSeconds(0.5));
}
