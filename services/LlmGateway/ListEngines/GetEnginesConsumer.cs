using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.LlmGateway.ListEngines;

/// <summary>Lists the configured engines and how they do.</summary>
sealed class GetEnginesConsumer(EngineListing listing) : IConsumer<GetEngines>
{
    public async Task Consume(ConsumeContext<GetEngines> context) => await context.RespondAsync(await listing.ReadAsync(context.CancellationToken));
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetEnginesConsumerDefinition : ConsumerDefinition<GetEnginesConsumer>;
