using System.Globalization;
using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal;

namespace Assay.AuditSaga.Retry;

/// <summary>Whether an audit may be tried again.</summary>
static class RetryRules
{
    public static Refusal? Judge(AuditState audit, RetryAudit retry, int maxAttempts)
    {
        if (audit.CurrentState is not (AuditStates.Failed or AuditStates.Cancelled))
            return new(RejectionReasons.NotRetryable, $"Audit {audit.CorrelationId} is {audit.CurrentState} (attempt {audit.Attempt}); only Failed and Cancelled audits are retried. {(audit.IsLive ? "Wait for it or cancel it." : "Send a new request.")}");
        if (audit.ErasedAt is { } erased)
            return new(RejectionReasons.NotRetryable, $"Audit {audit.CorrelationId} was deleted on {erased.ToString("u", CultureInfo.InvariantCulture)}; its answers are gone. Send a new request.");
        if (retry.FromAttempt != audit.Attempt)
            return new(RejectionReasons.NotRetryable, $"Audit {audit.CorrelationId} is at attempt {audit.Attempt}, the retry was meant for attempt {retry.FromAttempt}. Look at the present attempt and retry from it.");
        if (audit.CountedAttempts >= maxAttempts)
            return new(RejectionReasons.AttemptsExhausted, $"Audit {audit.CorrelationId} has used its {maxAttempts} attempts; the last ended {audit.CurrentState}{(audit.FailureReason is { } reason ? $" ({reason})" : "")}. Send a new request under a new auditId once the cause is mended.");
        if (retry.CeilingUsd is { } ceiling && MicroUsd.FromUsd(ceiling) < audit.CeilingMicroUsd)
            return new(RejectionReasons.InvalidRequest, $"ceilingUsd: {ceiling} is below the present ceiling {MicroUsd.ToUsd(audit.CeilingMicroUsd)} of audit {audit.CorrelationId}; a retry may only raise it.");
        if (retry.CeilingUsd is > 1_000_000)
            return new(RejectionReasons.InvalidRequest, "ceilingUsd: is above 1 000 000.");
        return null;
    }
}
