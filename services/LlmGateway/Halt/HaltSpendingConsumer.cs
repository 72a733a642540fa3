using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Pump;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Assay.LlmGateway.Halt;

/// <summary>
/// Stops all spending. When it answers, no call can leave any more: flushes that had begun are waited for by the lock, and what they
/// permitted has by then been written or given back.
/// </summary>
sealed class HaltSpendingConsumer(SpendingSwitch spending) : IConsumer<HaltSpending>
{
    public async Task Consume(ConsumeContext<HaltSpending> context)
    {
        var halted = await spending.HaltAsync(context.Message.Reason, context.Message.RequestedBy, context.CancellationToken);
        await context.Publish(halted, context.CancellationToken);
        await context.RespondAsync(halted);
    }
}

/// <summary>Allows spending again.</summary>
sealed class ResumeSpendingConsumer(SpendingSwitch spending) : IConsumer<ResumeSpending>
{
    public async Task Consume(ConsumeContext<ResumeSpending> context)
    {
        var (resumed, halted) = await spending.ResumeAsync(context.Message.Reason, context.Message.RequestedBy, context.CancellationToken);
        if (resumed is null)
        {
            await context.RespondAsync(halted!);
            return;
        }

        await context.Publish(resumed, context.CancellationToken);
        await context.RespondAsync(resumed);
    }
}

/// <summary>No inbox and no outbox: the switch keeps its own transaction, since its answer must come after the commit. Doing it twice does it once.</summary>
sealed class HaltSpendingConsumerDefinition : ConsumerDefinition<HaltSpendingConsumer>;

/// <summary>As for the halt.</summary>
sealed class ResumeSpendingConsumerDefinition : ConsumerDefinition<ResumeSpendingConsumer>;

/// <summary>The one switch for all spending.</summary>
sealed partial class SpendingSwitch(LedgerTransactions transactions, EngineLanes lanes, TimeProvider time, ILogger<SpendingSwitch> logger)
{
    /// <summary>By then every permitted call has been written or given back; see the life of a permit in <see cref="EngineLane"/>.</summary>
    static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(1500);

    public async Task<SpendingHalted> HaltAsync(string reason, string haltedBy, CancellationToken cancellationToken)
    {
        var halted = await transactions.RunAsync(async (session, _, token) =>
        {
            await session.LockOutFlushesAsync(token);
            var now = await session.NowAsync(token);
            await session.ExecuteAsync(
                new Statement("UPDATE spending_halt SET halted = 1, reason = $1, halted_by = $2, halted_at = $3 WHERE id = 1 AND halted = 0").With(reason).With(haltedBy).With(now), token);
            return await session.ReadHaltAsync(token);
        }, cancellationToken);
        foreach (var lane in lanes.All)
            lane.IsHalted = true;
        Halted(logger, haltedBy, reason);
        await Task.Delay(Silence, time, cancellationToken);
        return halted;
    }

    /// <summary>Allows spending again; a ledger that was restored to an earlier point stays halted until its recovery.</summary>
    public async Task<(SpendingResumed? Resumed, SpendingHalted? Halted)> ResumeAsync(string reason, string resumedBy, CancellationToken cancellationToken)
    {
        var (now, still) = await transactions.RunAsync(async (session, _, token) =>
        {
            var at = await session.NowAsync(token);
            var resumed = await session.ExecuteAsync(new Statement("UPDATE spending_halt SET halted = 0 WHERE id = 1 AND lost_sequence IS NULL"), token);
            return (at, resumed == 1 ? null : await session.ReadHaltAsync(token));
        }, cancellationToken);
        if (still is not null)
            return (null, still);
        foreach (var lane in lanes.All)
            lane.IsHalted = false;
        lanes.Changed();
        Resumed(logger, resumedBy, reason);
        return (new SpendingResumed { Reason = reason, ResumedBy = resumedBy, ResumedAt = now }, null);
    }

    [LoggerMessage(LogLevel.Warning, "Spending is halted by {HaltedBy}: {Reason}")]
    static partial void Halted(ILogger logger, string haltedBy, string reason);

    [LoggerMessage(LogLevel.Warning, "Spending is resumed by {ResumedBy}: {Reason}")]
    static partial void Resumed(ILogger logger, string resumedBy, string reason);
}

static class HaltReading
{
    /// <summary>The halt as it stands; only to be read where spending is halted.</summary>
    public static async Task<SpendingHalted> ReadHaltAsync(this LedgerSession session, CancellationToken cancellationToken) => (await session.QueryAsync(
        new Statement("SELECT reason, halted_by, halted_at FROM spending_halt WHERE id = 1"),
        row => new SpendingHalted { Reason = row.GetString(0), HaltedBy = row.GetString(1), HaltedAt = row.Utc(2) }, cancellationToken))[0];
}
