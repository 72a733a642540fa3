using System.Diagnostics;

namespace Assay.LlmGateway.Ledger;

/// <summary>
/// What the pump does for an audit happens in nobody's trace. It goes on with the one in which the audit's budget was asked for, which the
/// budget's row keeps, so that request, calls, analysis and report are one.
/// </summary>
static class AuditTrace
{
    static readonly ActivitySource Activities = new("Assay.LlmGateway");

    /// <summary>The trace at hand, as a row keeps it; null if nobody listens.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <summary>Goes on with a kept trace until what this returns is disposed. Null within a trace already, and if nobody listens.</summary>
    public static Activity? GoOn(string what, string? traceParent) =>
        traceParent is null || Activity.Current is not null ? null : Activities.StartActivity(what, ActivityKind.Internal, traceParent);
}
