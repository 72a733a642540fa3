using Assay.Dashboard.Webhooks;

namespace Assay.Dashboard.Tests.Webhooks;

public sealed class WakingTheDelivery
{
    static readonly DateTime Now = new(2026, 11, 22, 4, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(null, 30)]
    [InlineData(600.0, 30)]
    [InlineData(30.0, 30)]
    [InlineData(16.0, 16)]
    [InlineData(0.2, 1)]
    [InlineData(-5.0, 1)]
    public void Should_wait_for_the_next_try_but_never_for_long_nor_in_a_circle(double? nextTryInSeconds, double seconds) =>
        WebhookDelivery.PauseBefore(nextTryInSeconds is { } next ? Now.AddSeconds(next) : null, Now).TotalSeconds.ShouldBe(seconds);

    [Fact]
    public async Task Should_not_wait_when_it_was_called_before()
    {
        var signal = new WebhookSignal();
        signal.Wake();
        signal.Wake();
        await signal.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        var second = signal.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        second.IsCompleted.ShouldBeFalse("two calls before it looked are one");
        signal.Wake();
        await second.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Should_return_when_the_time_is_up() =>
        await new WebhookSignal().WaitAsync(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
}
