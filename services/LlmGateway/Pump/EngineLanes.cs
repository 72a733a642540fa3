using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Pump;

/// <summary>One lane for each configured engine.</summary>
sealed class EngineLanes(IEngineCatalog engines, LedgerWriter writer, GatewayOwner owner, LedgerSignals signals, IOptions<LlmGatewayOptions> options, TimeProvider time, ILogger<EngineLane> logger)
{
    public IReadOnlyList<EngineLane> All { get; } = [.. engines.All.Select(engine => new EngineLane(engine, writer, owner, signals, options.Value, time, logger))];

    public int OnTheWire => All.Sum(lane => lane.OnTheWire);

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

    /// <summary>Looks whether spending is halted and which engines rest; a hint that saves flushes, while each flush reads the halt itself.</summary>
    public async Task ReadSwitchesAsync(LedgerTransactions transactions, CancellationToken cancellationToken)
    {
        var (halted, paused) = await transactions.ReadAsync(async (session, token) =>
            ((await session.QueryAsync(new Statement("SELECT halted FROM spending_halt WHERE id = 1"), row => row.GetInt32(0), token))[0] != 0,
                await session.QueryAsync(new Statement("SELECT engine FROM engine_pause"), row => row.GetString(0), token)), cancellationToken);
        foreach (var lane in All)
        {
            lane.IsHalted = halted;
            lane.IsPaused = paused.Contains(lane.Engine.Name, StringComparer.OrdinalIgnoreCase);
        }
    }
}
