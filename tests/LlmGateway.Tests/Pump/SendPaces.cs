namespace Assay.LlmGateway.Pump;

public sealed class SendPaces
{
    static readonly DateTimeOffset Start = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0.4, 3)] // the same half second
    [InlineData(0.6, 3)] // the one after it
    [InlineData(1.2, 0)] // too long ago
    public void Should_tell_how_many_left_in_the_last_second(double after, int expected)
    {
        var pace = new SendPace();
        for (var i = 0; i < 3; i++)
            pace.Sent(Start.AddMilliseconds(100 * i));

        pace.LastSecond(Start.AddSeconds(after)).ShouldBe(expected);
    }

    [Fact]
    public void Should_follow_a_steady_stream()
    {
        var pace = new SendPace();
        for (var i = 0; i < 100; i++)
            pace.Sent(Start.AddMilliseconds(20 * i));

        pace.LastSecond(Start.AddMilliseconds(20 * 99)).ShouldBeInRange(40, 50);
    }
}
