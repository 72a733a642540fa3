using System.Diagnostics.Metrics;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>The meter <c>Assay.Outbox</c> of one DbContext; every instrument is tagged with <c>context</c>.</summary>
internal sealed class OutboxMetrics : IDisposable
{
    private readonly Meter _meter = new("Assay.Outbox");
    private readonly KeyValuePair<string, object?> _context;
    private readonly Histogram<double> _delivery;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _redeliveries;
    private OutboxStatistics _last = new(0, TimeSpan.Zero, 0, 0);

    public OutboxMetrics(string context)
    {
        _context = new("context", context);
        _delivery = _meter.CreateHistogram<double>("assay.outbox.delivery.duration", "s", "From the sender's call to the broker's confirm.");
        _sent = _meter.CreateCounter<long>("assay.outbox.sent", description: "Messages the broker confirmed.");
        _failed = _meter.CreateCounter<long>("assay.outbox.failures", description: "Tries to send that failed.");
        _redeliveries = _meter.CreateCounter<long>("assay.redeliveries", description: "Messages scheduled for another delivery after their retries.");
        _meter.CreateObservableGauge("assay.outbox.pending", () => new Measurement<long>(_last.Pending, _context), description: "Rows waiting to be confirmed, at the last look.");
        _meter.CreateObservableGauge("assay.outbox.oldest", () => new Measurement<double>(_last.OldestPending.TotalSeconds, _context), "s", "Age of the oldest waiting row, at the last look.");
        _meter.CreateObservableGauge("assay.outbox.parked", () => new Measurement<long>(_last.Parked, _context), description: "Rows given up, at the last look.");
        _meter.CreateObservableGauge("assay.outbox.scheduled", () => new Measurement<long>(_last.Scheduled, _context), description: "Schedules waiting, at the last look.");
        _meter.CreateObservableGauge("assay.outbox.listening", () => new Measurement<int>(Listens ? 1 : 0, _context), description: "1 while other processes' announcements reach this one; else it looks more often.");
    }

    /// <summary>Whether other processes' announcements reach this one.</summary>
    public bool Listens { get; set; }

    public void Observe(OutboxStatistics statistics) => _last = statistics;

    public void Sent(OutboxMessage row)
    {
        _sent.Add(1, _context);
        // Scheduled and swept rows are late by intent; their age says nothing about delivery.
        if (row is { EnqueueTime: null, Tries: 0 })
            _delivery.Record(Math.Max(0, (DateTime.UtcNow - DateTime.SpecifyKind(row.SentTime, DateTimeKind.Utc)).TotalSeconds), _context);
    }

    public void Failed(int count) => _failed.Add(count, _context);

    public void Redelivered() => _redeliveries.Add(1, _context);

    public void Dispose() => _meter.Dispose();
}
