using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Database;
using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.Dashboard.Webhooks;

/// <summary>Tells every webhook of an alert; the alert's id makes it one delivery, however often it is raised.</summary>
sealed class AnnounceAlertConsumer(WebhookOutbox webhooks) : IConsumer<AlertRaised>
{
    public Task Consume(ConsumeContext<AlertRaised> context) =>
        webhooks.AnnounceAlertAsync(context.Message, context.CancellationToken);
}

sealed class AnnounceAlertConsumerDefinition : AssayConsumerDefinition<AnnounceAlertConsumer, DashboardDbContext>;
