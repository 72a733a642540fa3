using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.ListEngines;
using Assay.LlmGateway.Pump;
using MassTransit;
using Message = Assay.Contracts.Internal.LlmGateway.PauseEngine;

namespace Assay.LlmGateway.PauseEngine;

/// <summary>Lets an engine rest in every instance, within one renewal of their leases. What is on the wire goes on.</summary>
sealed class PauseEngineConsumer(LedgerTransactions transactions, EngineLanes lanes, EngineSwitches switches, EngineListing listing) : IConsumer<Message>, IConsumer<ResumeEngine>
{
    public Task Consume(ConsumeContext<Message> context)
    {
        var message = context.Message;
        return ChangeAsync(context, message.Engine, message.Reason, async (session, engine, now, token) => await session.ExecuteAsync(
            new Statement("INSERT INTO engine_pause (engine, reason, paused_by, paused_at) VALUES ($1, $2, $3, $4) ON CONFLICT (engine) DO NOTHING")
                .With(engine).With(message.Reason).With(message.RequestedBy).With(now), token) == 1
            ? new EngineChange { Engine = engine, Change = EngineChanges.Paused, Reason = message.Reason, ChangedBy = message.RequestedBy, ChangedAt = now }
            : null);
    }

    public Task Consume(ConsumeContext<ResumeEngine> context)
    {
        var message = context.Message;
        return ChangeAsync(context, message.Engine, message.Reason ?? "resumed", async (session, engine, now, token) =>
            await session.ExecuteAsync(new Statement("DELETE FROM engine_pause WHERE LOWER(engine) = LOWER($1)").With(engine), token) > 0
            ? new EngineChange { Engine = engine, Change = EngineChanges.Resumed, Reason = message.Reason ?? "", ChangedBy = message.RequestedBy, ChangedAt = now }
            : null);
    }

    async Task ChangeAsync(ConsumeContext context, string name, string reason, Func<LedgerSession, string, DateTime, CancellationToken, Task<EngineChange?>> change)
    {
        if (EngineListing.Problem(lanes, name, reason) is { } problem)
        {
            await context.RespondAsync(new EngineNotChanged { Engine = name, Detail = problem });
            return;
        }

        await transactions.RunAsync(async (session, _, token) =>
        {
            if (await change(session, lanes.Find(name)!.Engine.Name, await session.NowAsync(token), token) is { } changed)
                await session.KeepAsync(changed, token);
        }, context.CancellationToken);
        await switches.ApplyAsync(context.CancellationToken);
        await context.RespondAsync(await listing.ReadAsync(context.CancellationToken));
    }
}

/// <summary>No inbox and no outbox: the switch keeps its own transaction. Doing it twice does it once.</summary>
sealed class PauseEngineConsumerDefinition : ConsumerDefinition<PauseEngineConsumer>;
