using System.Globalization;
using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Alerts;

/// <summary>Of what a person should hear. Alerts leave in the transaction of what they tell; each has an id that follows from what it is about.</summary>
static class AlertRules
{
    /// <summary>What a step in an audit's life is worth telling.</summary>
    public static IEnumerable<AlertRaised> OnStep(AuditState audit, string to, DateTime now, AuditSagaOptions options)
    {
        if (to == AuditStates.Failed)
        {
            yield return Failed(audit.CorrelationId, audit.Attempt, audit.FailureReason ?? "", audit.FailureDetail ?? "", now);
            if (audit.EndedBy == Enders.Watch)
                yield return Rescued(audit.CorrelationId, audit.Attempt, audit.FailureReason ?? "", now);
        }

        if (to != AuditStates.Admitting)
            yield break;
        if (audit.CountedAttempts >= options.AlertFromAttempt)
            yield return About(audit.CorrelationId, audit.Attempt, AlertKinds.ManyAttempts, Number(audit.CountedAttempts),
                $"Audit {audit.CorrelationId} ({audit.BrandName}) begins attempt {audit.CountedAttempts} of at most {options.MaxAttempts}. Look at why the earlier ones ended before the last is used up.", now);
        if (audit.Depth > options.AlertAboveDepth)
            yield return About(audit.CorrelationId, 0, AlertKinds.DeepLineage, Number(audit.Depth),
                $"Audit {audit.CorrelationId} ({audit.BrandName}) is {audit.Depth} deep below root {audit.TrackingId}; at {options.MaxDepth} the next is refused. Look at who asks for audits below audits.", now);
    }

    /// <summary>What the ledger's report is worth telling: money beyond a reservation.</summary>
    public static AlertRaised? OnReport(BudgetReported report, DateTime now) => report.OverrunMicroUsd <= 0 ? null :
        About(report.AuditId, report.Attempt, AlertKinds.Overrun, "audit", string.Create(CultureInfo.InvariantCulture,
            $"Audit {report.AuditId} was billed {MicroUsd.ToUsd(report.OverrunMicroUsd)} USD above its reservations. Spending is halted by this; correct the prices of its engines, then resume."), now);

    public static AlertRaised Failed(Guid auditId, int attempt, string reason, string detail, DateTime now) => About(auditId, attempt, AlertKinds.AuditFailed, reason, detail, now);

    public static AlertRaised Rescued(Guid auditId, int attempt, string reason, DateTime now) =>
        About(auditId, attempt, AlertKinds.WatchRescue, reason, $"The watch ended attempt {attempt} of audit {auditId} ({reason}); its own timers should have. Look for a bus that does not deliver, or a saga instance that hangs.", now);

    public static AlertRaised BudgetNotClosed(AuditState audit, string cause, DateTime now) =>
        About(audit.CorrelationId, audit.Attempt, AlertKinds.BudgetNotClosed, audit.CurrentState,
            $"Audit {audit.CorrelationId} is {audit.CurrentState}, but the gateway gave up closing the budget of attempt {audit.Attempt}: {cause}. It closes it by itself after the deadline {audit.DeadlineAt:HH:mm:ss}Z; until then calls that are already planned may be sent. Look at close-budget_error, or halt spending.", now);

    /// <summary>The same however many instances count the refusals of a window.</summary>
    public static AlertRaised ManyRefusals(string reason, int count, DateTime windowStart, TimeSpan window, DateTime now) => new()
    {
        AuditId = null,
        Attempt = 0,
        AlertId = NameBasedId.Of(Guid.Empty, $"{AlertKinds.ManyRefusals}\n{reason}\n{windowStart:O}"),
        Kind = AlertKinds.ManyRefusals,
        Subject = reason,
        Detail = string.Create(CultureInfo.InvariantCulture, $"{count} requests were refused as {reason} since {windowStart:HH:mm:ss}Z (window {window}). A producer may be sending in a loop; nothing was spent on them."),
        RaisedAt = now,
    };

    /// <summary>One alert a day for each kind of difference, however many instances compare.</summary>
    public static AlertRaised Differences(string kind, int count, IntegrityDifference first, DateTime now) => new()
    {
        AuditId = null,
        Attempt = 0,
        AlertId = NameBasedId.Of(Guid.Empty, $"{AlertKinds.IntegrityDifference}\n{kind}\n{now:yyyy-MM-dd}"),
        Kind = AlertKinds.IntegrityDifference,
        Subject = kind,
        Detail = string.Create(CultureInfo.InvariantCulture, $"{kind}: {count} audits, for example {first.AuditId}: {first.Detail}. {(first.Repaired ? "The read model was told to repair itself." : "Nothing was changed.")} `assay doctor --integrity` lists them."),
        RaisedAt = now,
    };

    static AlertRaised About(Guid auditId, int attempt, string kind, string subject, string detail, DateTime now) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        AlertId = NameBasedId.Of(auditId, string.Create(CultureInfo.InvariantCulture, $"{kind}\n{attempt}")),
        Kind = kind,
        Subject = subject,
        Detail = detail,
        RaisedAt = now,
    };

    static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
