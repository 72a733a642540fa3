using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.ListEngines;
using Assay.LlmGateway.Pump;
using MassTransit;
using Message = Assay.Contracts.Internal.LlmGateway.PauseEngine;

namespace Assay.LlmGateway.PauseEngine;

/// <summary>Lets an engine rest in every instance, within one renewal of their leases. What is on the wire goes on.</summary>
sealed class PauseEngineConsumer(LedgerTransactions transactions, EngineLanes lanes) : IConsumer<Message>, IConsumer<ResumeEngine>
{
    public async Task Consume(ConsumeContext<Message> context)
    {
        var message = context.Message;
        await transactions.RunAsync(async (session, _, token) => await session.ExecuteAsync(
            new Statement("INSERT INTO engine_pause (engine, reason, paused_by, paused_at) VALUES ($1, $2, $3, $4) ON CONFLICT (engine) DO NOTHING")
                .With(lanes.Find(message.Engine)?.Engine.Name ?? message.Engine).With(message.Reason).With(message.RequestedBy).With(await session.NowAsync(token)), token), context.CancellationToken);
        await AnswerAsync(context);
    }

    public async Task Consume(ConsumeContext<ResumeEngine> context)
    {
        await transactions.RunAsync(async (session, _, token) => await session.ExecuteAsync(
            new Statement("DELETE FROM engine_pause WHERE LOWER(engine) = LOWER($1)").With(context.Message.Engine), token), context.CancellationToken);
        await AnswerAsync(context);
    }

    async Task AnswerAsync(ConsumeContext context)
    {
        await lanes.ReadSwitchesAsync(transactions, context.CancellationToken);
        lanes.Changed();
        await context.RespondAsync(GetEnginesConsumer.List(lanes));
    }
}

/// <summary>No inbox and no outbox: the switch keeps its own transaction. Doing it twice does it once.</summary>
sealed class PauseEngineConsumerDefinition : ConsumerDefinition<PauseEngineConsumer>;
