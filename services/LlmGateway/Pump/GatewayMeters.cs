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
    IReadOnlyList<EngineLane> _lanes = [];
    (bool Halted, double Burn) _spending;

    public GatewayMeters()
    {
        _calls = _meter.CreateCounter<long>("assay.calls", "{try}", "Tries of paid calls by engine and outcome");
        _duration = _meter.CreateHistogram<double>("assay.call.duration", "s", "Time from sending a call to its whole answer");
        _spend = _meter.CreateCounter<double>("assay.spend.usd", "USD", "Money by engine: reserved, spent, in doubt");
        _flushes = _meter.CreateHistogram<double>("assay.ledger.flush.duration", "s", "Time of one flush of intents and outcomes");
        _flushSize = _meter.CreateHistogram<int>("assay.ledger.flush.size", "{entry}", "Intents and outcomes in one flush");
        _meter.CreateObservableGauge("assay.engine.breaker", () => _lanes.Select(lane => new Measurement<int>(lane.BreakerUntil is null ? 0 : 1, new KeyValuePair<string, object?>("engine", lane.Engine.Name))), description: "1 while an engine's breaker is open");
        _meter.CreateObservableGauge("assay.spending.halted", () => _spending.Halted ? 1 : 0, description: "1 while spending is halted");
        _meter.CreateObservableGauge("assay.spending.burn", () => _spending.Burn, description: "Money of the last minute as a share of what the plans at work may cost at worst; LlmGateway__BurnRateMultiple halts");
    }

    /// <summary>Shows the engines' breakers. A series that first appears with its first dollar has not increased, so money begins at zero.</summary>
    public IReadOnlyList<EngineLane> Watch(IReadOnlyList<EngineLane> lanes)
    {
        _lanes = lanes;
        foreach (var engine in lanes.Select(lane => lane.Engine.Name))
            foreach (var kind in (string[])["reserved", "spent", "in_doubt"])
                _spend.Add(0, new("engine", engine), new("kind", kind));
        return lanes;
    }

    public void Burned(bool halted, long burnedMicroUsd, long plannedMicroUsd) => _spending = (halted, burnedMicroUsd == 0 ? 0 : (double)burnedMicroUsd / Math.Max(1, plannedMicroUsd));

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
