using System.Diagnostics.Metrics;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;

namespace Assay.AuditSaga.Transitions;

/// <summary>The saga's numbers for the meter <c>Assay.AuditSaga</c>. Counted when decided; a transaction that rolls back afterwards is counted again with its repetition.</summary>
sealed class AuditSagaMetrics
{
    public const string MeterName = "Assay.AuditSaga";

    readonly UpDownCounter<long> audits;
    readonly Counter<long> transitions;
    readonly Histogram<double> duration;
    readonly Histogram<long> attempts;
    readonly Histogram<long> depth;
    readonly Counter<long> refusals;
    readonly Counter<long> rescues;
    readonly Counter<long> alerts;
    readonly Counter<long> differences;

    public AuditSagaMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        audits = meter.CreateUpDownCounter<long>("assay.audits", description: "Audits by state, as seen by this process since it started");
        transitions = meter.CreateCounter<long>("assay.audit.transitions");
        duration = meter.CreateHistogram<double>("assay.audit.duration", "s");
        attempts = meter.CreateHistogram<long>("assay.audit.attempts", null, null, [], new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 3, 5, 10] });
        depth = meter.CreateHistogram<long>("assay.lineage.depth", null, null, [], new InstrumentAdvice<long> { HistogramBucketBoundaries = [0, 1, 2, 4, 8, 10] });
        refusals = meter.CreateCounter<long>("assay.admission.refusals");
        rescues = meter.CreateCounter<long>("assay.deadline_watch.rescues");
        alerts = meter.CreateCounter<long>("assay.alerts");
        differences = meter.CreateCounter<long>("assay.integrity.differences");

        // A series that first appears with its first event has not increased, and no alert sees that event: they begin at zero.
        foreach (var reason in ConstantsOf(typeof(RejectionReasons)))
            refusals.Add(0, new KeyValuePair<string, object?>("reason", reason));
        foreach (var reason in ConstantsOf(typeof(FailureReasons)))
            rescues.Add(0, new KeyValuePair<string, object?>("reason", reason));
        foreach (var kind in ConstantsOf(typeof(AlertKinds)))
            alerts.Add(0, new KeyValuePair<string, object?>("kind", kind));
    }

    public void Transitioned(AuditState audit, AuditTransition step)
    {
        if (AuditPhases.IsLive(step.FromState) || AuditPhases.Terminal.Contains(step.FromState, StringComparer.Ordinal))
            audits.Add(-1, new KeyValuePair<string, object?>("state", step.FromState));
        audits.Add(1, new KeyValuePair<string, object?>("state", step.ToState));
        transitions.Add(1, new KeyValuePair<string, object?>("from", step.FromState), new KeyValuePair<string, object?>("to", step.ToState));
        if (step.ToState == AuditStates.Admitting)
            depth.Record(audit.Depth);
        if (AuditPhases.IsLive(step.ToState) || step.ToState == AuditStates.Rejected)
            return;
        duration.Record((step.At - audit.StartedAt).TotalSeconds, new KeyValuePair<string, object?>("state", step.ToState));
        attempts.Record(audit.CountedAttempts, new KeyValuePair<string, object?>("state", step.ToState));
    }

    public void Refused(string reason) => refusals.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Raised(AlertRaised alert) => alerts.Add(1, new KeyValuePair<string, object?>("kind", alert.Kind));

    public void Differs(string kind) => differences.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Rescued(string reason) => rescues.Add(1, new KeyValuePair<string, object?>("reason", reason));

    static IEnumerable<string> ConstantsOf(Type type) => type.GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);
}
