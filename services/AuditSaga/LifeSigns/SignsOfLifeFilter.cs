using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.AuditSaga.LifeSigns;

/// <summary>Outermost on the saga's endpoint: a sign that tells nothing is done with before it costs a transaction.</summary>
sealed class SignsOfLifeFilter(SignsOfLife signs) : IFilter<ConsumeContext<BatchAlive>>
{
    public Task Send(ConsumeContext<BatchAlive> context, IPipe<ConsumeContext<BatchAlive>> next) =>
        signs.Take(context.Message) ? next.Send(context) : context.NotifyConsumed(context, TimeSpan.Zero, nameof(SignsOfLifeFilter));

    public void Probe(ProbeContext context) => context.CreateFilterScope("signsOfLife");
}
