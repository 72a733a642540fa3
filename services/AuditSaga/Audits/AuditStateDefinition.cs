using Assay.AuditSaga.Database;
using Assay.AuditSaga.LifeSigns;
using Assay.AuditSaga.Spending;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using MassTransit.Configuration;

namespace Assay.AuditSaga.Audits;

/// <summary>The endpoint <c>audit-state</c> under the one endpoint policy.</summary>
sealed class AuditStateDefinition : SagaDefinition<AuditState>
{
    protected override void ConfigureSaga(IReceiveEndpointConfigurator endpointConfigurator, ISagaConfigurator<AuditState> sagaConfigurator, IRegistrationContext context)
    {
        endpointConfigurator.AddPipeSpecification(new FilterPipeSpecification<ConsumeContext<BatchAlive>>(context.GetRequiredService<SignsOfLifeFilter>()));
        endpointConfigurator.UseAssayPolicy<AuditSagaDbContext>(context);
        // In the saga's own pipe, which retry and redelivery of the endpoint enclose.
        sagaConfigurator.Message<BudgetReported>(message => message.UseFilter(context.GetRequiredService<BudgetReportFilter>()));
    }
}
