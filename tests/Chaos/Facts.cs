using System.Globalization;
using System.Text.Json;
using Npgsql;

namespace Assay.Chaos;

/// <summary>A row of the saga's <c>audit</c>.</summary>
public sealed record SagaRow(Guid AuditId, string State, int Attempt, DateTime DeadlineAt, DateTime? CompletedAt, DateTime? EndedAt, string? Reason, string? Detail, string? EndedBy, Guid? ScoreId, bool HasScores, bool IsGuarded);

/// <summary>A row of <c>audit_transition</c>.</summary>
public sealed record TransitionRow(Guid AuditId, int Sequence, int Attempt, string From, string To, DateTime At);

/// <summary>A row of the ledger's <c>paid_call</c>.</summary>
public sealed record CallRow(string CallKey, Guid AuditId, string State, string? Reason, long Reserved, long Spent, bool HasText);

/// <summary>A row of the ledger's <c>every_try</c>.</summary>
public sealed record TryRow(Guid TryId, string CallKey, Guid AuditId, string Engine, int Permitted, string State, string? Reason, long Reserved, long Spent, DateTime SentAt);

/// <summary>A row of the ledger's <c>spending</c>.</summary>
public sealed record ScopeRow(string Scope, long Ceiling, long Reserved, long Spent, long Overrun);

/// <summary>A row of the ledger's <c>audit_budget</c>.</summary>
public sealed record BudgetRow(Guid AuditId, string State, int Attempt, long Allocated, long Reserved);

/// <summary>A row of the Dashboard's <c>audit</c>.</summary>
public sealed record ViewRow(Guid AuditId, string Status, int Attempt, int ReportAttempt, Guid? ScoreId, bool BudgetFinal, long Spent);

/// <summary>A request as the provider saw it.</summary>
public sealed record ProviderCall(string Id, DateTime At, string? Fault, bool Gone);

/// <summary>What the provider says it has billed, by <c>Idempotency-Key</c>.</summary>
public sealed record Bill(decimal Usd, int Billed, int InFlight, IReadOnlyDictionary<string, int> BilledById);

/// <summary>A halt as a person saw it.</summary>
public sealed record Halt(DateTime ReturnedAt, DateTime? ResumedAt);

/// <summary>Everything the checker may look at. None of it is what a service thinks of itself in memory.</summary>
public sealed record Facts
{
    public required DateTime At { get; init; }
    public required IReadOnlyList<DoneFault> Faults { get; init; }
    public required IReadOnlyList<Halt> Halts { get; init; }

    /// <summary>The audits asked for, with the moment the last command about each was accepted by broker or REST interface.</summary>
    public required IReadOnlyDictionary<Guid, DateTime> Asked { get; init; }

    public required IReadOnlyList<SagaRow> Audits { get; init; }
    public required IReadOnlyList<TransitionRow> Transitions { get; init; }
    public required IReadOnlyList<CallRow> Calls { get; init; }
    public required IReadOnlyList<TryRow> Tries { get; init; }
    public required IReadOnlyList<ScopeRow> Scopes { get; init; }
    public required IReadOnlyList<BudgetRow> Budgets { get; init; }
    public required IReadOnlyList<ViewRow> Views { get; init; }
    public required IReadOnlySet<Guid> ScoresKept { get; init; }
    public required IReadOnlyList<HeardEvent> Heard { get; init; }
    public required Bill Bill { get; init; }
    public required IReadOnlyList<ProviderCall> ProviderCalls { get; init; }
    public required long InErrorQueues { get; init; }
    public required long ParkedMessages { get; init; }

    /// <summary>When the link to the provider swallowed a request on a connection whose far end was gone: an outside fact, however long after the fault it was.</summary>
    public IReadOnlyList<DateTime> LostRequests { get; init; } = [];

    /// <summary>Processes that ended though nobody stopped them.</summary>
    public IReadOnlyList<string> EndedByThemselves { get; init; } = [];

    /// <summary>When the last fault was over.</summary>
    public DateTime LastHealedAt => Faults.Count == 0 ? DateTime.MinValue : Faults.Max(fault => fault.HealedAt);
}

/// <summary>Reads the facts from the databases, the provider and the broker.</summary>
static class FactsReader
{
    const string Terminal = "'Completed', 'Failed', 'Cancelled', 'Rejected'";

    /// <summary>Audits of the seed that are not in a terminal state, or not known at all; with attempts of those that are.</summary>
    public static async Task<IReadOnlyDictionary<Guid, (string State, int Attempt, DateTime DeadlineAt)>> StatesAsync(this ChaosWorld world, IReadOnlyCollection<Guid> audits, CancellationToken cancellationToken)
    {
        await using var saga = await world.OpenAsync("AuditSaga", cancellationToken);
        var rows = await QueryAsync(saga, "SELECT audit_id, current_state, attempt, deadline_at FROM audit WHERE audit_id = ANY($1)", row => (Id: row.GetGuid(0), State: row.GetString(1), Attempt: row.GetInt32(2), DeadlineAt: Utc(row, 3)), audits, cancellationToken);
        return rows.ToDictionary(row => row.Id, row => (row.State, row.Attempt, row.DeadlineAt));
    }

    public static async Task<Facts> ReadFactsAsync(this ChaosWorld world, IReadOnlyDictionary<Guid, DateTime> asked, IReadOnlyList<DoneFault> faults, IReadOnlyList<Halt> halts, long errorsBefore, CancellationToken cancellationToken)
    {
        Guid[] ids = [.. asked.Keys];
        await using var saga = await world.OpenAsync("AuditSaga", cancellationToken);
        await using var gateway = await world.OpenAsync("LlmGateway", cancellationToken);
        await using var analyzer = await world.OpenAsync("Analyzer", cancellationToken);
        await using var dashboard = await world.OpenAsync("Dashboard", cancellationToken);
        var parked = 0L;
        foreach (var database in new[] { saga, gateway, analyzer, dashboard })
            parked += (await QueryAsync(database, "SELECT COUNT(*) FROM \"OutboxMessage\" WHERE \"ParkedAt\" IS NOT NULL AND $1::uuid[] IS NOT NULL", row => row.GetInt64(0), ids, cancellationToken))[0];
        var scopes = ids.SelectMany(id => new[] { $"audit:{id:D}", $"tree:{id:D}" }).ToArray();
        return new Facts
        {
            At = DateTime.UtcNow,
            Asked = asked,
            Faults = faults,
            Halts = halts,
            Audits = await QueryAsync(saga, """
                SELECT audit_id, current_state, attempt, deadline_at, completed_at, ended_at, failure_reason, failure_detail, ended_by, score_id,
                       scores IS NOT NULL AND scores NOT IN ('', 'null', '{}'), EXISTS (SELECT 1 FROM live_audit WHERE live_audit.audit_id = audit.audit_id)
                FROM audit WHERE audit_id = ANY($1)
                """, row => new SagaRow(row.GetGuid(0), row.GetString(1), row.GetInt32(2), Utc(row, 3), UtcOrNull(row, 4), UtcOrNull(row, 5), TextOrNull(row, 6), TextOrNull(row, 7), TextOrNull(row, 8), GuidOrNull(row, 9), row.GetBoolean(10), row.GetBoolean(11)), ids, cancellationToken),
            Transitions = await QueryAsync(saga, "SELECT audit_id, sequence, attempt, from_state, to_state, at FROM audit_transition WHERE audit_id = ANY($1) ORDER BY audit_id, sequence",
                row => new TransitionRow(row.GetGuid(0), row.GetInt32(1), row.GetInt32(2), row.GetString(3), row.GetString(4), Utc(row, 5)), ids, cancellationToken),
            Calls = await QueryAsync(gateway, "SELECT call_key, audit_id, state, reason, reserved_micro_usd, spent_micro_usd, text_hash IS NOT NULL FROM paid_call WHERE audit_id = ANY($1)",
                row => new CallRow(row.GetString(0), row.GetGuid(1), row.GetString(2), TextOrNull(row, 3), row.GetInt64(4), row.GetInt64(5), row.GetBoolean(6)), ids, cancellationToken),
            Tries = await QueryAsync(gateway, "SELECT try_id, call_key, audit_id, engine, permitted, state, reason, reserved_micro_usd, spent_micro_usd, sent_at FROM every_try WHERE audit_id = ANY($1)",
                row => new TryRow(row.GetGuid(0), row.GetString(1), row.GetGuid(2), row.GetString(3), row.GetInt32(4), row.GetString(5), TextOrNull(row, 6), row.GetInt64(7), row.GetInt64(8), Utc(row, 9)), ids, cancellationToken),
            Scopes = await QueryAsync(gateway, "SELECT scope, ceiling_micro_usd, reserved_micro_usd, spent_micro_usd, overrun_micro_usd FROM spending WHERE scope = ANY($1) OR scope LIKE 'day:%'",
                row => new ScopeRow(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), scopes, cancellationToken),
            Budgets = await QueryAsync(gateway, "SELECT audit_id, state, attempt, allocated_micro_usd, reserved_micro_usd FROM audit_budget WHERE audit_id = ANY($1)",
                row => new BudgetRow(row.GetGuid(0), row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4)), ids, cancellationToken),
            ScoresKept = (await QueryAsync(analyzer, "SELECT score_id FROM score WHERE audit_id = ANY($1)", row => row.GetGuid(0), ids, cancellationToken)).ToHashSet(),
            Views = await QueryAsync(dashboard, "SELECT audit_id, status, attempt, report_attempt, score_id, budget_final, spent_micro_usd FROM audit WHERE audit_id = ANY($1)",
                row => new ViewRow(row.GetGuid(0), row.GetString(1), row.GetInt32(2), row.GetInt32(3), GuidOrNull(row, 4), row.GetBoolean(5), row.GetInt64(6)), ids, cancellationToken),
            Heard = world.Producer.Heard(ids.ToHashSet()),
            LostRequests = world.LostRequests,
            Bill = await BillAsync(world),
            ProviderCalls = await ProviderCallsAsync(world, cancellationToken),
            InErrorQueues = (await world.ErrorQueuesAsync()).Values.Sum() - errorsBefore,
            ParkedMessages = parked,
        };
    }

    public static async Task<Bill> BillAsync(ChaosWorld world)
    {
        var stats = await world.Provider.StatsAsync(ids: true);
        return new Bill(stats.GetProperty("usd").GetDecimal(), stats.GetProperty("billed").GetInt32(), stats.GetProperty("inFlight").GetInt32(),
            stats.GetProperty("ids").EnumerateObject().ToDictionary(id => id.Name, id => id.Value.GetProperty("billed").GetInt32(), StringComparer.Ordinal));
    }

    static async Task<List<ProviderCall>> ProviderCallsAsync(ChaosWorld world, CancellationToken cancellationToken)
    {
        List<ProviderCall> calls = [];
        if (!File.Exists(world.CallLog))
            return calls;
        await using var stream = new FileStream(world.CallLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(world.CallLogStart, SeekOrigin.Begin);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            // The last line may still be being written.
            if (!line.EndsWith('}'))
                continue;
            using var json = JsonDocument.Parse(line);
            var call = json.RootElement;
            calls.Add(new ProviderCall(call.GetProperty("id").GetString()!, DateTime.UnixEpoch.AddMilliseconds(call.GetProperty("t").GetInt64()),
                call.TryGetProperty("fault", out var fault) && fault.ValueKind == JsonValueKind.String ? fault.GetString() : null, call.GetProperty("gone").GetBoolean()));
        }

        return calls;
    }

    static async Task<List<T>> QueryAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, object parameter, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = parameter is IReadOnlyCollection<Guid> ids ? ids.ToArray() : parameter } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    static DateTime Utc(NpgsqlDataReader row, int column) => DateTime.SpecifyKind(row.GetDateTime(column), DateTimeKind.Utc);
    static DateTime? UtcOrNull(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : Utc(row, column);
    static string? TextOrNull(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
    static Guid? GuidOrNull(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
}
