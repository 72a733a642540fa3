using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Pump;

/// <summary>One lane for each configured engine.</summary>
sealed class EngineLanes(IEngineCatalog engines, LedgerWriter writer, GatewayOwner owner, RememberedCalls remembered, LedgerSignals signals, IOptions<LlmGatewayOptions> options, TimeProvider time, GatewayMeters meters, ILogger<EngineLane> logger)
{
    public IReadOnlyList<EngineLane> All { get; } = meters.Watch([.. engines.All.Select(engine => new EngineLane(engine, writer, owner, remembered, signals, options.Value, time, logger))]);

    public int OnTheWire => All.Sum(lane => lane.OnTheWire);

    /// <summary>Whether no lane has more on the wire than this instance's part of its engine's concurrency.</summary>
    public bool AreWithinTheirShares() => All.All(lane => lane.OnTheWire <= owner.ShareOf(lane.Limits.MaxConcurrency));

    public EngineLane? Find(string engine) => All.FirstOrDefault(lane => string.Equals(lane.Engine.Name, engine, StringComparison.OrdinalIgnoreCase));

    public void DropQueues()
    {
        foreach (var lane in All)
            lane.DropQueue();
    }

    public void Changed()
    {
        foreach (var lane in All)
            lane.Changed();
    }
}
