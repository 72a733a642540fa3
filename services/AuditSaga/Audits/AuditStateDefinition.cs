using Assay.AuditSaga.Database;
using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.AuditSaga.Audits;

/// <summary>The endpoint <c>audit-state</c> under the one endpoint policy.</summary>
sealed class AuditStateDefinition : SagaDefinition<AuditState>
{
    protected override void ConfigureSaga(IReceiveEndpointConfigurator endpointConfigurator, ISagaConfigurator<AuditState> sagaConfigurator, IRegistrationContext context) =>
        endpointConfigurator.UseAssayPolicy<AuditSagaDbContext>(context);
}
