using Assay.Contracts.Internal.AuditSaga;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Alerts;

/// <summary>Counts refusals by reason in windows of fixed length, as this instance sees them, and says once a window when one has become too many.</summary>
sealed class RefusalRate(IOptions<AuditSagaOptions> options, TimeProvider clock)
{
    readonly Lock gate = new();
    readonly Dictionary<string, RefusalWindow> windows = new(StringComparer.Ordinal);

    /// <summary>Counts one refusal.</summary>
    /// <returns>The alert, if this one is the first too many of its window.</returns>
    public AlertRaised? Count(string reason)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var length = options.Value.RefusalWindow;
        lock (gate)
        {
            var window = windows[reason] = RefusalWindow.After(windows.GetValueOrDefault(reason), now, length);
            return window.Count == options.Value.AlertAboveRefusals + 1 ? AlertRules.ManyRefusals(reason, window.Count, window.Start, length, now) : null;
        }
    }
}

/// <summary>Refusals since the start of a window.</summary>
readonly record struct RefusalWindow(DateTime Start, int Count)
{
    public static RefusalWindow After(RefusalWindow before, DateTime now, TimeSpan length)
    {
        var start = new DateTime(now.Ticks - now.Ticks % length.Ticks, DateTimeKind.Utc);
        return new(start, start == before.Start ? before.Count + 1 : 1);
    }
}
