using System.Globalization;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Pump;

namespace Assay.LlmGateway.ListEngines;

/// <summary>What is known of each engine, over all instances: from the ledger, whoever is asked.</summary>
sealed class EngineListing(LedgerTransactions transactions, EngineLanes lanes)
{
    sealed record Set(string Engine, int? MaxConcurrency, int? RequestsPerMinute, int? TokensPerMinute, string Reason, string By, DateTime At);

    sealed record Pause(string Engine, string Reason, string By, DateTime At);

    sealed record Instance(int ChangesSeen, IReadOnlyDictionary<string, DateTime> Breakers);

    sealed record Minute(string Engine, long Requests, long Tokens);

    /// <summary>Why nothing can be changed about an engine of this name for this reason; null if it can.</summary>
    public static string? Problem(EngineLanes lanes, string engine, string reason) =>
        lanes.Find(engine) is null ? $"No engine is configured as '{engine}'. Configured are: {string.Join(", ", lanes.All.Select(lane => lane.Engine.Name).Order(StringComparer.Ordinal))}."
        : string.IsNullOrWhiteSpace(reason) ? $"Say why engine '{engine}' is changed: the reason is kept and shown."
        : null;

    public Task<EngineList> ReadAsync(CancellationToken cancellationToken) => transactions.ReadAsync(ReadAsync, cancellationToken);

    async Task<EngineList> ReadAsync(LedgerSession session, CancellationToken cancellationToken)
    {
        var now = await session.NowAsync(cancellationToken);
        var changes = (int)(await session.QueryAsync(new Statement("SELECT COUNT(*) FROM engine_change"), row => row.GetInt64(0), cancellationToken))[0];
        var limits = await session.QueryAsync(
            new Statement("SELECT engine, max_concurrency, requests_per_minute, tokens_per_minute, reason, set_by, set_at FROM engine_limit"),
            row => new Set(row.GetString(0), row.IntOrNull(1), row.IntOrNull(2), row.IntOrNull(3), row.GetString(4), row.GetString(5), row.Utc(6)), cancellationToken);
        var pauses = await session.QueryAsync(
            new Statement("SELECT engine, reason, paused_by, paused_at FROM engine_pause"), row => new Pause(row.GetString(0), row.GetString(1), row.GetString(2), row.Utc(3)), cancellationToken);
        var instances = await session.QueryAsync(
            new Statement("SELECT changes_seen, breakers_json FROM gateway_instance WHERE dead_at IS NULL AND lease_until > $1").With(now),
            row => new Instance(row.GetInt32(0), Breakers(row.TextOrNull(1))), cancellationToken);
        var open = (await session.QueryAsync(
            new Statement($"""
                SELECT c.engine, COUNT(DISTINCT CASE WHEN c.state = 'Sending' THEN c.call_key END), COUNT(DISTINCT CASE WHEN c.state = 'Planned' THEN c.call_key END)
                FROM {CallStatements.OpenCalls} GROUP BY c.engine
                """), row => (Engine: row.GetString(0), Sending: row.GetInt64(1), Planned: row.GetInt64(2)), cancellationToken)).ToDictionary(row => row.Engine, StringComparer.OrdinalIgnoreCase);
        var minutes = await session.QueryAsync(
            new Statement($"""
                SELECT t.engine, COUNT(*), CAST(SUM(CASE WHEN t.state = 'Answered' AND c.output_tokens IS NOT NULL THEN COALESCE(c.input_tokens, 0) + c.output_tokens ELSE c.token_bound END) AS BIGINT)
                FROM {TryStatements.SentSince(session)} t JOIN paid_call c ON c.call_key = t.call_key
                WHERE t.state <> 'NotSent' GROUP BY t.engine
                """).With(now.AddMinutes(-1)), row => new Minute(row.GetString(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken);
        var recent = await session.QueryAsync(
            new Statement("SELECT engine, change, detail, reason, changed_by, changed_at FROM engine_change ORDER BY changed_at DESC, change_id DESC LIMIT 50"),
            row => new EngineChange { Engine = row.GetString(0), Change = row.GetString(1), Detail = row.TextOrNull(2), Reason = row.GetString(3), ChangedBy = row.GetString(4), ChangedAt = row.Utc(5) }, cancellationToken);
        return new EngineList
        {
            Engines =
            [
                .. lanes.All.Select(lane => lane.Engine).OrderBy(engine => engine.Name, StringComparer.Ordinal).Select(engine => Describe(
                    engine, limits.FirstOrDefault(set => Same(set.Engine, engine)), pauses.FirstOrDefault(pause => Same(pause.Engine, engine)), instances, changes, now) with
                {
                    OnTheWire = (int)open.GetValueOrDefault(engine.Name).Sending,
                    Waiting = (int)open.GetValueOrDefault(engine.Name).Planned,
                    RequestsInLastMinute = (int)(minutes.FirstOrDefault(minute => Same(minute.Engine, engine))?.Requests ?? 0),
                    TokensInLastMinute = minutes.FirstOrDefault(minute => Same(minute.Engine, engine))?.Tokens ?? 0,
                }),
            ],
            Changes = recent,
            Instances = instances.Count,
        };
    }

    static EngineInfo Describe(EngineDefinition engine, Set? set, Pause? pause, IReadOnlyList<Instance> instances, int changes, DateTime now)
    {
        var limits = EngineSwitches.LimitsOf(engine, set?.MaxConcurrency, set?.RequestsPerMinute, set?.TokensPerMinute);
        var breakers = instances.Select(instance => instance.Breakers.TryGetValue(engine.Name, out var until) && until > now ? until : (DateTime?)null).OfType<DateTime>().ToList();
        return new EngineInfo
        {
            Engine = engine.Name,
            Kind = engine.Kind,
            Model = engine.Model,
            Simulated = engine.Simulated,
            MaxConcurrency = limits.MaxConcurrency,
            RequestsPerMinute = limits.RequestsPerMinute,
            TokensPerMinute = limits.TokensPerMinute,
            State = pause is not null ? "paused"
                : breakers.Count == 0 ? "ready"
                : breakers.Count < instances.Count ? string.Create(CultureInfo.InvariantCulture, $"breaker open in {breakers.Count} of {instances.Count} instances")
                : "breaker open",
            ConfiguredLimits = set is null ? null : engine.Limits,
            LimitsSetBy = set?.By,
            LimitsSetAt = set?.At,
            LimitsReason = set?.Reason,
            InstancesBehind = instances.Count(instance => instance.ChangesSeen < changes),
            PausedBy = pause?.By,
            PausedAt = pause?.At,
            PauseReason = pause?.Reason,
            BreakersOpen = breakers.Count,
            BreakerUntil = breakers.Count == 0 ? null : breakers.Max(),
        };
    }

    static IReadOnlyDictionary<string, DateTime> Breakers(string? json) =>
        json is null ? new Dictionary<string, DateTime>(StringComparer.Ordinal) : JsonSerializer.Deserialize<Dictionary<string, DateTime>>(json, AssayJson.Options)!;

    static bool Same(string name, EngineDefinition engine) => string.Equals(name, engine.Name, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The record of what operators changed about engines.</summary>
static class EngineChangeKeeping
{
    public static Task KeepAsync(this LedgerSession session, EngineChange change, CancellationToken cancellationToken) => session.ExecuteAsync(
        new Statement("INSERT INTO engine_change (change_id, engine, change, detail, reason, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .With(Guid.CreateVersion7()).With(change.Engine).With(change.Change).With(change.Detail).With(change.Reason).With(change.ChangedBy).With(change.ChangedAt), cancellationToken);
}
