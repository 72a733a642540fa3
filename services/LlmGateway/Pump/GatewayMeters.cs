using System.Diagnostics.Metrics;
using Assay.Contracts.Internal;

namespace Assay.LlmGateway.Pump;

/// <summary>What the gateway measures (meter <c>Assay.LlmGateway</c>).</summary>
sealed class GatewayMeters : IDisposable
{
    public const string Name = "Assay.LlmGateway";

    readonly Meter _meter = new(Name);
    readonly Counter<long> _calls;
    readonly Histogram<double> _duration;
    readonly Counter<double> _spend;
    readonly Histogram<double> _flushes;
    readonly Histogram<int> _flushSize;

    public GatewayMeters()
    {
        _calls = _meter.CreateCounter<long>("assay.calls", "{try}", "Tries of paid calls by engine and outcome");
        _duration = _meter.CreateHistogram<double>("assay.call.duration", "s", "Time from sending a call to its whole answer");
        _spend = _meter.CreateCounter<double>("assay.spend.usd", "USD", "Money by engine: reserved, spent, in doubt");
        _flushes = _meter.CreateHistogram<double>("assay.ledger.flush.duration", "s", "Time of one flush of intents and outcomes");
        _flushSize = _meter.CreateHistogram<int>("assay.ledger.flush.size", "{entry}", "Intents and outcomes in one flush");
    }

    public void Flushed(int entries, TimeSpan duration)
    {
        _flushes.Record(duration.TotalSeconds);
        _flushSize.Record(entries);
    }

    public void Reserved(string engine, long microUsd) => Spend(engine, "reserved", microUsd);

    public void Settled(string engine, OutcomeDecision decision, int responseTimeMs)
    {
        _calls.Add(1, new("engine", engine), new("outcome", decision.TryState));
        if (decision.MayBeBilled)
            _duration.Record(responseTimeMs / 1000.0, new KeyValuePair<string, object?>("engine", engine));
        Spend(engine, decision.TryState == Ledger.TryStates.InDoubt ? "in_doubt" : "spent", decision.ChargedMicroUsd);
    }

    public void Dispose() => _meter.Dispose();

    void Spend(string engine, string kind, long microUsd)
    {
        if (microUsd > 0)
            _spend.Add((double)MicroUsd.ToUsd(microUsd), new("engine", engine), new("kind", kind));
    }
}
