using System.Diagnostics;
using Assay.Contracts;
using Assay.Contracts.Internal.Dashboard;

namespace Assay.Dashboard.Projections;

/// <summary>A message about an audit that waits to be projected, with everything that must be taken from it while it is at hand.</summary>
sealed class Told(Guid auditId, object message, DateTime at)
{
    readonly TaskCompletionSource projected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Guid AuditId { get; } = auditId;
    public object Message { get; } = message;

    /// <summary>When it arrived here, UTC.</summary>
    public DateTime At { get; } = at;

    /// <summary>The sender's trace, where one is made; what is said in answer goes on with it.</summary>
    public Activity? Trace { get; } = Activity.Current;

    /// <summary>Whether somebody waits for what it says: a person or a program for a decision, the saga for its report.</summary>
    public bool IsAwaited => Message is AuditAccepted or AuditRejected or AuditCompleted or AuditFailed or AuditCancelled or PublishReport;

    /// <summary>Ends when what it says is committed.</summary>
    public Task Projected => projected.Task;

    public void Succeed() => projected.TrySetResult();

    public void Fail(Exception exception) => projected.TrySetException(exception);
}
