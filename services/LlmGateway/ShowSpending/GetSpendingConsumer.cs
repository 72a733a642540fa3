using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Halt;
using Assay.LlmGateway.Ledger;
using MassTransit;

namespace Assay.LlmGateway.ShowSpending;

/// <summary>Shows the ledger's scopes, the halt, and every try in doubt with its price.</summary>
sealed class GetSpendingConsumer(LedgerTransactions transactions) : IConsumer<GetSpending>
{
    const int MostDays = 366;

    public async Task Consume(ConsumeContext<GetSpending> context) =>
        await context.RespondAsync(await transactions.ReadAsync((session, token) => ReadAsync(session, context.Message.AuditId, Math.Clamp(context.Message.Days, 0, MostDays), token), context.CancellationToken));

    static async Task<SpendingStatus> ReadAsync(LedgerSession session, Guid? auditId, int days, CancellationToken cancellationToken)
    {
        var now = await session.NowAsync(cancellationToken);
        var halt = (await session.QueryAsync(
            new Statement("SELECT halted, reason, halted_by, halted_at FROM spending_halt WHERE id = 1"),
            row => (Halted: row.GetInt32(0) != 0, Reason: row.TextOrNull(1), By: row.TextOrNull(2), At: row.UtcOrNull(3)), cancellationToken))[0];
        var audits = await session.QueryAsync(
            auditId is { } one
                ? new Statement("SELECT audit_id, tracking_id, day FROM audit_budget WHERE audit_id = $1").With(one)
                : new Statement("SELECT audit_id, tracking_id, day FROM audit_budget WHERE state = 'Open'"),
            row => (AuditId: row.GetGuid(0), TrackingId: row.GetGuid(1), Day: row.TextOrNull(2)), cancellationToken);
        string[] names = [Scopes.Day(Scopes.DayOf(now)), .. Enumerable.Range(1, Math.Max(0, days - 1)).Select(back => Scopes.Day(Scopes.DayOf(now.AddDays(-back)))), .. audits.SelectMany(audit => (string?[])[Scopes.Audit(audit.AuditId), Scopes.Tree(audit.TrackingId), audit.Day is null ? null : Scopes.Day(audit.Day)]).OfType<string>()];
        var scopes = await session.QueryAsync(
            new Statement($"SELECT scope, ceiling_micro_usd, reserved_micro_usd, spent_micro_usd, overrun_micro_usd FROM spending WHERE {session.In("scope", 1)} ORDER BY scope").With(names.Distinct(StringComparer.Ordinal).ToArray()),
            row => new SpendingScope { Scope = row.GetString(0), CeilingMicroUsd = row.GetInt64(1), ReservedMicroUsd = row.GetInt64(2), SpentMicroUsd = row.GetInt64(3), OverrunMicroUsd = row.GetInt64(4) }, cancellationToken);
        var burn = (await session.QueryAsync(
            new Statement($"SELECT {BurnRateGuard.Money} FROM {TryStatements.SentSince(session)} sent").With(now.AddMinutes(-1)), row => row.GetInt64(0), cancellationToken))[0];
        const string doubts = """
            SELECT t.audit_id, t.call_key, t.engine, c.request_json, t.reason, t.spent_micro_usd, t.sent_at, c.state FROM paid_try t JOIN paid_call c ON c.call_key = t.call_key WHERE t.state = 'InDoubt'
            """;
        var inDoubt = await session.QueryAsync(
            auditId is { } only ? new Statement($"{doubts} AND t.audit_id = $1 ORDER BY t.sent_at DESC LIMIT 500").With(only) : new Statement($"{doubts} ORDER BY t.sent_at DESC LIMIT 500"),
            row => new InDoubtCall
            {
                AuditId = row.GetGuid(0),
                CallKey = row.GetString(1),
                Engine = row.GetString(2),
                Query = JsonSerializer.Deserialize<EngineRequest>(row.GetString(3), AssayJson.Options)!.Text,
                Reason = row.TextOrNull(4) ?? "",
                WorstCaseMicroUsd = row.GetInt64(5),
                SentAt = row.Utc(6),
                Since = row.GetString(7) is var state and not CallStates.InDoubt ? state : null,
            }, cancellationToken);
        return new SpendingStatus
        {
            Halted = halt.Halted,
            HaltReason = halt.Halted ? halt.Reason : null,
            HaltedBy = halt.Halted ? halt.By : null,
            HaltedAt = halt.Halted ? halt.At : null,
            BurnMicroUsdPerMinute = burn,
            Scopes = scopes,
            InDoubt = inDoubt,
            ByDay = days == 0 ? [] : await ByDayAsync(session, auditId, now.Date.AddDays(1 - days), cancellationToken),
        };
    }

    static Task<IReadOnlyList<EngineSpending>> ByDayAsync(LedgerSession session, Guid? auditId, DateTime from, CancellationToken cancellationToken)
    {
        // A try is sent on the day that pays for it or later, and before its audit's deadline.
        var query = $"""
            SELECT day, engine, COUNT(*), COUNT(CASE WHEN state NOT IN ('Sending', 'NotBilled') THEN 1 END), CAST(SUM(spent_micro_usd) AS BIGINT),
                   CAST(SUM(CASE WHEN state = 'InDoubt' THEN spent_micro_usd ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN state = 'Sending' THEN reserved_micro_usd ELSE 0 END) AS BIGINT)
            FROM every_try WHERE {session.InSelected("audit_id", auditId is null ? "SELECT audit_id FROM audit_budget WHERE deadline_at >= $1" : "SELECT $3")} AND sent_at >= $1 AND day >= $2 AND state <> 'NotSent' GROUP BY day, engine ORDER BY day DESC, engine
            """;
        var statement = new Statement(query).With(from).With(Scopes.DayOf(from));
        return session.QueryAsync(auditId is { } one ? statement.With(one) : statement, row => new EngineSpending
        {
            Day = row.GetString(0),
            Engine = row.GetString(1),
            Tries = (int)row.GetInt64(2),
            PaidTries = (int)row.GetInt64(3),
            SpentMicroUsd = row.GetInt64(4),
            InDoubtMicroUsd = row.GetInt64(5),
            ReservedMicroUsd = row.GetInt64(6),
        }, cancellationToken);
    }
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetSpendingConsumerDefinition : ConsumerDefinition<GetSpendingConsumer>;
