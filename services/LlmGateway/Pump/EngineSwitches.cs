using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.Pump;

/// <summary>
/// What operators have set, applied to this instance's lanes and then said in its row, so that everyone sees how far it has got. The halt is
/// a hint here that saves flushes: each flush reads it itself.
/// <para>
/// A limit needs no agreement between instances: each takes its part of the limit it knows, a part never grows with a falling limit, and so
/// the parts together never exceed the larger of the old limit and the new one.
/// </para>
/// </summary>
sealed class EngineSwitches(LedgerTransactions transactions, EngineLanes lanes, GatewayOwner owner, LedgerSignals signals) : IDisposable
{
    readonly SemaphoreSlim _one = new(1, 1);
    (Guid Owner, int Seen, string? Breakers) _said;

    sealed record Limit(string Engine, int? MaxConcurrency, int? RequestsPerMinute, int? TokensPerMinute);

    sealed record Switches(bool Halted, int Changes, IReadOnlyList<string> Paused, IReadOnlyList<Limit> Limits);

    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var switches = await transactions.ReadAsync(ReadAsync, cancellationToken);
            foreach (var lane in lanes.All)
            {
                lane.IsHalted = switches.Halted;
                lane.IsPaused = switches.Paused.Contains(lane.Engine.Name, StringComparer.OrdinalIgnoreCase);
                lane.Limits = LimitsOf(lane.Engine, switches.Limits.FirstOrDefault(limit => string.Equals(limit.Engine, lane.Engine.Name, StringComparison.OrdinalIgnoreCase)));
            }

            lanes.Changed();
            signals.WakePumpForRoom();
            await SayAsync(switches.Changes, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    internal static EngineLimits LimitsOf(EngineDefinition engine, int? maxConcurrency, int? requestsPerMinute, int? tokensPerMinute) => new()
    {
        MaxConcurrency = maxConcurrency ?? engine.MaxConcurrency,
        RequestsPerMinute = requestsPerMinute ?? engine.RequestsPerMinute,
        TokensPerMinute = tokensPerMinute ?? engine.TokensPerMinute,
    };

    static EngineLimits LimitsOf(EngineDefinition engine, Limit? limit) => LimitsOf(engine, limit?.MaxConcurrency, limit?.RequestsPerMinute, limit?.TokensPerMinute);

    static async Task<Switches> ReadAsync(LedgerSession session, CancellationToken cancellationToken)
    {
        // The count first: what is read after it is at least as new.
        var changes = await session.QueryAsync(new Statement("SELECT COUNT(*) FROM engine_change"), row => row.GetInt64(0), cancellationToken);
        var halted = await session.QueryAsync(new Statement("SELECT halted FROM spending_halt WHERE id = 1"), row => row.GetInt32(0), cancellationToken);
        var paused = await session.QueryAsync(new Statement("SELECT engine FROM engine_pause"), row => row.GetString(0), cancellationToken);
        var limits = await session.QueryAsync(
            new Statement("SELECT engine, max_concurrency, requests_per_minute, tokens_per_minute FROM engine_limit"),
            row => new Limit(row.GetString(0), row.IntOrNull(1), row.IntOrNull(2), row.IntOrNull(3)), cancellationToken);
        return new(halted[0] != 0, (int)changes[0], paused, limits);
    }

    async Task SayAsync(int seen, CancellationToken cancellationToken)
    {
        if (!owner.IsRegistered)
            return;
        var open = lanes.All.Where(lane => lane.BreakerUntil is not null).ToDictionary(lane => lane.Engine.Name, lane => lane.BreakerUntil!.Value, StringComparer.Ordinal);
        var say = (owner.Current, seen, open.Count == 0 ? null : JsonSerializer.Serialize(open, AssayJson.Options));
        if (say == _said)
            return;
        await transactions.RunAsync((session, _, token) => session.ExecuteAsync(
            new Statement("UPDATE gateway_instance SET changes_seen = $2, breakers_json = $3 WHERE owner = $1").With(say.Current).With(say.seen).With(say.Item3), token), cancellationToken);
        _said = say;
    }
}
