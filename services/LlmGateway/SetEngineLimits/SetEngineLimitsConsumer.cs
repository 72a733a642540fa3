using System.Globalization;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.ListEngines;
using Assay.LlmGateway.Pump;
using MassTransit;
using Message = Assay.Contracts.Internal.LlmGateway.SetEngineLimits;

namespace Assay.LlmGateway.SetEngineLimits;

/// <summary>Sets what an engine bears, in every instance, within one renewal of their leases.</summary>
sealed class SetEngineLimitsConsumer(LedgerTransactions transactions, EngineLanes lanes, EngineSwitches switches, EngineListing listing) : IConsumer<Message>
{
    public async Task Consume(ConsumeContext<Message> context)
    {
        var message = context.Message;
        if ((EngineListing.Problem(lanes, message.Engine, message.Reason) ?? Problem(message)) is { } problem)
        {
            await context.RespondAsync(new EngineNotChanged { Engine = message.Engine, Detail = problem });
            return;
        }

        var engine = lanes.Find(message.Engine)!.Engine;
        await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            // A redelivered message finds what it has set and adds nothing to the record.
            var changed = message is { MaxConcurrency: null, RequestsPerMinute: null, TokensPerMinute: null }
                ? await session.ExecuteAsync(new Statement("DELETE FROM engine_limit WHERE engine = $1").With(engine.Name), token)
                : await session.ExecuteAsync(
                    new Statement("""
                        INSERT INTO engine_limit (engine, max_concurrency, requests_per_minute, tokens_per_minute, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
                        ON CONFLICT (engine) DO UPDATE SET max_concurrency = $2, requests_per_minute = $3, tokens_per_minute = $4, reason = $5, set_by = $6, set_at = $7
                        WHERE COALESCE(engine_limit.max_concurrency, 0) <> COALESCE($2, 0) OR COALESCE(engine_limit.requests_per_minute, 0) <> COALESCE($3, 0)
                           OR COALESCE(engine_limit.tokens_per_minute, 0) <> COALESCE($4, 0) OR engine_limit.reason <> $5 OR engine_limit.set_by <> $6
                        """).With(engine.Name).With(message.MaxConcurrency).With(message.RequestsPerMinute).With(message.TokensPerMinute).With(message.Reason).With(message.RequestedBy).With(now), token);
            if (changed > 0)
                await session.KeepAsync(new EngineChange { Engine = engine.Name, Change = EngineChanges.LimitsSet, Detail = Describe(EngineSwitches.LimitsOf(engine, message.MaxConcurrency, message.RequestsPerMinute, message.TokensPerMinute)), Reason = message.Reason, ChangedBy = message.RequestedBy, ChangedAt = now }, token);
        }, context.CancellationToken);
        await switches.ApplyAsync(context.CancellationToken);
        await context.RespondAsync(await listing.ReadAsync(context.CancellationToken));
    }

    static string? Problem(Message message) => (message.MaxConcurrency ?? 1) < 1 || (message.RequestsPerMinute ?? 1) < 1 || (message.TokensPerMinute ?? 1) < 1
        ? "Each limit must be at least 1, or absent for what the settings say. To let the engine rest, pause it."
        : null;

    static string Describe(EngineLimits limits) => string.Create(CultureInfo.InvariantCulture,
        $"{limits.MaxConcurrency} at once, {Limit(limits.RequestsPerMinute)} requests and {Limit(limits.TokensPerMinute)} tokens a minute");

    static string Limit(int? limit) => limit?.ToString(CultureInfo.InvariantCulture) ?? "any number of";
}

/// <summary>No inbox and no outbox: doing it twice does it once.</summary>
sealed class SetEngineLimitsConsumerDefinition : ConsumerDefinition<SetEngineLimitsConsumer>;
