using System.Globalization;
using Assay.Contracts.Internal;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Pump;
using MassTransit;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Halt;

/// <summary>The last guard, independent of ceilings and keys: money that leaves faster than the plans at work could spend it halts everything.</summary>
sealed class BurnRateGuard(LedgerTransactions transactions, SpendingSwitch spending, IBus bus, GatewayMeters meters, IOptions<LlmGatewayOptions> options)
{
    /// <summary>The money of tries, in micro-dollars: what they cost, and the worst case of those on the wire.</summary>
    public const string Money = "CAST(COALESCE(SUM(CASE WHEN state = 'Sending' THEN reserved_micro_usd ELSE spent_micro_usd END), 0) AS BIGINT)";

    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        var (halted, burned, planned) = await transactions.ReadAsync(ReadAsync, cancellationToken);
        meters.Burned(halted, burned, planned);
        if (halted || !IsTooFast(burned, planned, options.Value.BurnRateMultiple))
            return;
        var reason = string.Create(CultureInfo.InvariantCulture,
            $"BurnRate: {MicroUsd.ToUsd(burned):$0.00####} were spent in a minute, and the plans at work could cost {MicroUsd.ToUsd(planned):$0.00####} at worst in all. Look at the calls of the last minute in every_try, then resume; LlmGateway__BurnRateMultiple is {options.Value.BurnRateMultiple}.");
        await bus.Publish(await spending.HaltAsync(reason, "gateway", cancellationToken), cancellationToken);
    }

    internal static bool IsTooFast(long burnedMicroUsd, long plannedMicroUsd, double multiple) => burnedMicroUsd > plannedMicroUsd * multiple;

    static async Task<(bool Halted, long Burned, long Planned)> ReadAsync(LedgerSession session, CancellationToken cancellationToken)
    {
        var since = (await session.NowAsync(cancellationToken)).AddMinutes(-1);
        return (await session.QueryAsync(
            new Statement($"""
                WITH sent AS {TryStatements.SentSince(session)}
                SELECT (SELECT halted FROM spending_halt WHERE id = 1),
                       (SELECT {Money} FROM sent),
                       (SELECT CAST(COALESCE(SUM(worst_case_micro_usd), 0) AS BIGINT) FROM audit_budget
                        WHERE {session.InSelected("audit_id", "SELECT audit_id FROM audit_budget WHERE state = 'Open' UNION SELECT audit_id FROM sent")})
                """).With(since),
            row => (row.GetInt32(0) != 0, row.GetInt64(1), row.GetInt64(2)), cancellationToken))[0];
    }
}
