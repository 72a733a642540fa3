using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;
using Assay.ServiceDefaults;
using MassTransit;

namespace Assay.Dashboard.Projections;

/// <summary>Everything that is told about an audit goes into the read model, in one transaction with what else is told at that time.</summary>
sealed class ProjectAuditConsumer(ProjectionQueue queue, TimeProvider time) :
    IConsumer<AuditRegistered>, IConsumer<AuditAccepted>, IConsumer<AuditRejected>, IConsumer<AuditProgressed>, IConsumer<AuditTransitioned>,
    IConsumer<QueriesPlanned>, IConsumer<AnswersDescribed>, IConsumer<AuditScored>, IConsumer<InsightsDrafted>, IConsumer<AnswersJudged>, IConsumer<PublishReport>,
    IConsumer<BudgetReported>, IConsumer<BatchAlive>, IConsumer<AuditCompleted>, IConsumer<AuditFailed>, IConsumer<AuditCancelled>
{
    public Task Consume(ConsumeContext<AuditRegistered> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditAccepted> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditRejected> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditProgressed> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditTransitioned> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<QueriesPlanned> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AnswersDescribed> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditScored> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<InsightsDrafted> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AnswersJudged> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<PublishReport> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<BudgetReported> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<BatchAlive> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditCompleted> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditFailed> context) => ProjectAsync(context, context.Message.AuditId);

    public Task Consume(ConsumeContext<AuditCancelled> context) => ProjectAsync(context, context.Message.AuditId);

    /// <summary>Ends, and with it the message is acknowledged, once it is committed.</summary>
    Task ProjectAsync<T>(ConsumeContext<T> context, Guid auditId) where T : class =>
        queue.ProjectAsync(new Told(auditId, context.Message, time.GetUtcNow().UtcDateTime)).WaitAsync(context.CancellationToken);
}

/// <summary>
/// The endpoint policy without inbox and outbox around each message: the transaction is that of <see cref="ProjectionTransaction"/>, for many
/// messages at once, and every projection knows its duplicates itself.
/// </summary>
sealed class ProjectAuditConsumerDefinition : ConsumerDefinition<ProjectAuditConsumer>
{
    public ProjectAuditConsumerDefinition() => Endpoint(endpoint =>
    {
        endpoint.PrefetchCount = ProjectionQueue.Capacity;
        endpoint.ConcurrentMessageLimit = ProjectionQueue.Capacity;
    });

    protected override void ConfigureConsumer(IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<ProjectAuditConsumer> consumerConfigurator, IRegistrationContext context)
    {
        var options = context.GetRequiredService<MessagingOptions>();
        endpointConfigurator.UseEntityFrameworkMessageScheduler<DashboardDbContext>(context);
        if (options.Redelivery.Count > 0)
            endpointConfigurator.UseScheduledRedelivery(redelivery => redelivery.Intervals([.. options.Redelivery]));
        if (options.ImmediateRetries > 0)
            endpointConfigurator.UseMessageRetry(retry => retry.Immediate(options.ImmediateRetries));
    }
}
