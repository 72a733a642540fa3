using System.Diagnostics;

namespace Assay.EntityFrameworkIntegration.Tests.Orders;

internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Polls until the value is as expected; at the limit the last value is in the message.</summary>
    public static async Task ShouldBecomeAsync<T>(this Func<Task<T>> read, T expected, string what, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        T value;
        while (!EqualityComparer<T>.Default.Equals(value = await read(), expected))
        {
            if (clock.Elapsed > (limit ?? Limit))
                value.ShouldBe(expected, $"{what} after {clock.Elapsed}");
            await Task.Delay(20);
        }
    }

    /// <summary>Watches for a while that a value stays: for effects that must not happen a second time.</summary>
    public static async Task ShouldStayAsync<T>(this Func<Task<T>> read, T expected, string what, TimeSpan? watch = null)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < (watch ?? TimeSpan.FromMilliseconds(700)))
        {
            (await read()).ShouldBe(expected, what);
            await Task.Delay(50);
        }
    }
}
