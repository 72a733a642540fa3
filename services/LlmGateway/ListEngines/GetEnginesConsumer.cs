using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Pump;
using MassTransit;

namespace Assay.LlmGateway.ListEngines;

/// <summary>Lists the configured engines and whether they can be asked now.</summary>
sealed class GetEnginesConsumer(EngineLanes lanes) : IConsumer<GetEngines>
{
    public Task Consume(ConsumeContext<GetEngines> context) => context.RespondAsync(List(lanes));

    public static EngineList List(EngineLanes lanes) => new()
    {
        Engines =
        [
            .. lanes.All.OrderBy(lane => lane.Engine.Name, StringComparer.Ordinal).Select(lane => new EngineInfo
            {
                Engine = lane.Engine.Name,
                Kind = lane.Engine.Kind,
                Model = lane.Engine.Model,
                Simulated = lane.Engine.Simulated,
                MaxConcurrency = lane.Engine.MaxConcurrency,
                RequestsPerMinute = lane.Engine.RequestsPerMinute,
                TokensPerMinute = lane.Engine.TokensPerMinute,
                State = lane.State,
            }),
        ],
    };
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetEnginesConsumerDefinition : ConsumerDefinition<GetEnginesConsumer>;
