using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.DeadlineWatch;
using Assay.AuditSaga.Integrity;
using Assay.AuditSaga.LifeSigns;
using Assay.AuditSaga.Pruning;
using Assay.AuditSaga.RestoredLedger;
using Assay.AuditSaga.Spending;
using Assay.AuditSaga.Transitions;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Assay.AuditSaga;

/// <summary>The saga: the life of every audit, from its request to its one terminal state.</summary>
public sealed class AuditSagaModule : AssayModule
{
    public override string Name => "AuditSaga";

    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
    {
        builder.Services.AddOptions<AuditSagaOptions>().Bind(builder.Configuration.GetSection(Name)).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddAssayDbContext<AuditSagaDbContext, PostgreSqlAuditSagaDbContext, SqliteAuditSagaDbContext>(database);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<AuditSagaMetrics>();
        builder.Services.AddSingleton<AuditTransitionObserver>();
        builder.Services.AddSingleton<RefusalRate>();
        builder.Services.AddSingleton<SignsOfLife>();
        builder.Services.AddSingleton<SignsOfLifeFilter>();
        builder.Services.AddSingleton<BudgetReportFilter>();
        builder.Services.AddScoped<SpendingNotes>();
        builder.Services.AddScoped<TransitionRecorder>();
        builder.Services.AddScoped<AdmissionGuards>();
        builder.Services.AddScoped<OverdueAudits>();
        builder.Services.AddScoped<AuditPruning>();
        builder.Services.AddHostedService<DeadlineWatchService>();
        builder.Services.AddHostedService<AuditPruningService>();
        builder.Services.AddScoped<IntegrityComparison>();
        builder.Services.AddScoped<IntegrityRounds>();
        builder.Services.AddHostedService<IntegrityService>();
    }

    public override void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddAssayOutbox<AuditSagaDbContext>();
        bus.AddServiceOperations<AuditSagaDbContext>(Name);
        bus.AddConsumer<CheckIntegrityConsumer, CheckIntegrityConsumerDefinition>();
        bus.AddRequestClient<GetLedgerFacts>();
        bus.AddRequestClient<GetAnalysisFacts>();
        bus.AddRequestClient<GetReadModelFacts>();
        bus.AddSagaStateMachine<AuditStateMachine, AuditState, AuditStateDefinition>()
            .StoreIn<AuditState, AuditSagaDbContext>();
        bus.AddConsumer<GetLedgerSeenConsumer, GetLedgerSeenConsumerDefinition>();
        bus.AddConsumer<FailLiveAuditsConsumer, FailLiveAuditsConsumerDefinition>();
    }

    public override Task PrepareAsync(IServiceProvider services, CancellationToken cancellationToken) => UnfinishedAudits.EndAllAsync(services, cancellationToken);
}
