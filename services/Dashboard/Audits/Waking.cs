using Assay.Contracts;
using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;

namespace Assay.Dashboard.Audits;

/// <summary>What a live audit waits for, who brings it, and who ends the wait at the latest.</summary>
/// <param name="For">What is missing.</param>
/// <param name="By">Who brings it, and when if that is known.</param>
/// <param name="AtTheLatest">Who ends the wait if nothing comes, and when.</param>
sealed record Waking(string For, string By, string AtTheLatest)
{
    /// <summary>Null for an audit that is over: nothing wakes it but a person.</summary>
    public static Waking? Of(AuditStatus audit, TimeSpan stallTimeout)
    {
        if (ReadStates.IsOver(audit.Status))
            return null;
        var quietSince = audit.LastHeartbeatAt > audit.LastProgressAt || audit.LastProgressAt is null ? audit.LastHeartbeatAt ?? audit.RegisteredAt : audit.LastProgressAt.Value;
        var stall = $"the stall timer at {Show.Clock(quietSince + stallTimeout)} UTC unless something moves";
        var end = audit.DeadlineAt is { } deadline ? $"{stall}, the deadline at {Show.Clock(deadline)} UTC, the watch within 5 s after it" : stall;
        if (audit.Status == ReadStates.Requested)
            return new Waking("the saga to see the request", "this Dashboard's outbox, which sends it until the saga's queue has it", "nobody: no audit lives yet, and nothing was spent");
        if (audit.WaitingFor is { } waiting)
            return new Waking(waiting, WhoBrings(waiting, audit.WaitingUntil), end);
        return audit.Status switch
        {
            AuditStates.Admitting => new Waking("its budget", "the gateway, with the next message", end),
            AuditStates.Planning => new Waking("its queries", "the analyzer, once they are planned", end),
            AuditStates.Asking => new Waking("answers", "the gateway and the analyzer, with each batch that is read", end),
            AuditStates.Scoring => new Waking("its scores", "the analyzer, once they are computed", end),
            AuditStates.Advising => new Waking("its insights", "the analyzer, with each layer", end),
            _ => new Waking("its report", "this Dashboard, once every piece is here", end),
        };
    }

    static string WhoBrings(string waiting, DateTime? until)
    {
        var at = until is { } time ? $", at {Show.Clock(time)} UTC or before" : "";
        // The gateway's words: "spending to be resumed", "engine chatgpt to be resumed".
        return waiting.Contains("halt", StringComparison.OrdinalIgnoreCase) || waiting.StartsWith("spending", StringComparison.Ordinal) ? "an operator who allows spending again"
            : waiting.Contains("pause", StringComparison.OrdinalIgnoreCase) || waiting.EndsWith("to be resumed", StringComparison.Ordinal) ? "an operator who resumes the engine"
            : waiting.StartsWith("the saga", StringComparison.Ordinal) ? "the saga, once it answers"
            : waiting.StartsWith("money", StringComparison.OrdinalIgnoreCase) ? "the gateway, when another audit gives money back"
            : $"the gateway by itself{at}";
    }
}
