namespace Assay.AuditSaga.Tests;

/// <summary>Time that moves when the test says so.</summary>
sealed class ManualClock(DateTimeOffset? start = null) : TimeProvider
{
    DateTimeOffset now = start ?? new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public DateTime Now => now.UtcDateTime;

    public override DateTimeOffset GetUtcNow() => now;

    public void Advance(TimeSpan by) => now += by;

    public void Advance(double minutes) => Advance(TimeSpan.FromMinutes(minutes));
}
