using Assay.LlmGateway.AnswersErased;
using Assay.LlmGateway.AnswersStored;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.CloseBudget;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Halt;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.ListEngines;
using Assay.LlmGateway.OpenBudget;
using Assay.LlmGateway.PauseEngine;
using Assay.LlmGateway.Pump;
using Assay.LlmGateway.Quote;
using Assay.LlmGateway.Restore;
using Assay.LlmGateway.SetEngineLimits;
using Assay.LlmGateway.ShowLedgerFacts;
using Assay.LlmGateway.ShowSpending;
using Assay.ServiceDefaults;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Assay.LlmGateway;

/// <summary>The only place that spends money: ledger, ceilings, engines.</summary>
public sealed class LlmGatewayModule : AssayModule
{
    public override string Name => "LlmGateway";

    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
    {
        builder.Services.AddOptions<LlmGatewayOptions>()
            // Quote and admission count the judge's calls; who asks them is the Analyzer's to say.
            .Configure(options => options.JudgedAnswers = builder.Configuration.GetValue<bool>("Analyzer:Judge:Enabled") ? builder.Configuration.GetValue("Analyzer:Judge:Answers", 60) : 0)
            .Bind(builder.Configuration.GetSection(Name))
            .Validate(options => options.DailyCeilingUsd >= 0, "LlmGateway__DailyCeilingUsd must not be negative.")
            .Validate(options => options.Lease >= TimeSpan.FromSeconds(2), "LlmGateway__Lease must be at least 2 seconds.")
            .Validate(options => options.SweepInterval > TimeSpan.Zero && options.PollInterval > TimeSpan.Zero, "LlmGateway__SweepInterval and LlmGateway__PollInterval must be above 0.")
            .Validate(options => options.LongestSignInterval > TimeSpan.Zero, "LlmGateway__LongestSignInterval must be above 0.")
            .Validate(options => options.BurnRateMultiple >= 1, "LlmGateway__BurnRateMultiple must be at least 1: what the open plans may cost is never too fast.")
            .ValidateOnStart();
        database = LedgerDatabase.Planned(database);
        builder.Services.AddAssayDbContext<LlmGatewayDbContext, PostgreSqlLlmGatewayDbContext, SqliteLlmGatewayDbContext>(database);
        builder.Services.AddEngines(builder.Configuration);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<LedgerTransactions>().AddSingleton<LedgerSignals>().AddSingleton<GatewayMeters>();
        builder.Services.AddSingleton<GatewayOwner>().AddSingleton<OwnerSweep>().AddSingleton<PhaseReturn>();
        builder.Services.AddSingleton<BudgetOpening>().AddSingleton<BudgetQueue>();
        builder.Services.AddSingleton<LedgerWriter>().AddSingleton<EngineLanes>().AddSingleton<RememberedCalls>().AddSingleton<ICallTaker, CallTaker>().AddSingleton<CallClaim>().AddSingleton<CallPump>().AddSingleton<SpendingSwitch>().AddSingleton<EngineSwitches>().AddSingleton<EngineListing>().AddSingleton<BurnRateGuard>();
        builder.Services.AddSingleton<LedgerContinuity>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LedgerContinuity>());
        builder.Services.AddHostedService(services => services.GetRequiredService<CallPump>());
        builder.Services.AddHostedService<LeaseSweepService>();
        builder.Services.AddHostedService<BatchHeartbeat>();
        // A stop waits for calls on the wire; the host must give it that time.
        builder.Services.PostConfigure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromTicks(Math.Max(host.ShutdownTimeout.Ticks, TimeSpan.FromSeconds(75).Ticks)));
        builder.Services.AddSingleton(new LedgerDatabase(database));
        if (database.Provider == DatabaseProvider.Sqlite)
            builder.Services.AddSingleton<IOwnerLock, SoleOwnerLock>();
        else
            builder.Services.AddSingleton<IOwnerLock, PostgresOwnerLock>();
    }

    public override void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddAssayOutbox<LlmGatewayDbContext>();
        bus.AddServiceOperations<LlmGatewayDbContext>(Name);
        bus.AddConsumer<OpenBudgetConsumer, OpenBudgetConsumerDefinition>();
        bus.AddConsumer<CloseBudgetConsumer, CloseBudgetConsumerDefinition>();
        bus.AddConsumer<AskEngineConsumer, AskEngineConsumerDefinition>();
        bus.AddConsumer<AnswersStoredConsumer, AnswersStoredConsumerDefinition>();
        bus.AddConsumer<AnswersErasedConsumer, AnswersErasedConsumerDefinition>();
        bus.AddConsumer<QuoteAuditConsumer, QuoteAuditConsumerDefinition>();
        bus.AddConsumer<GetSpendingConsumer, GetSpendingConsumerDefinition>();
        bus.AddConsumer<GetLedgerFactsConsumer, GetLedgerFactsConsumerDefinition>();
        bus.AddConsumer<GetEnginesConsumer, GetEnginesConsumerDefinition>();
        bus.AddConsumer<HaltSpendingConsumer, HaltSpendingConsumerDefinition>();
        bus.AddConsumer<PauseEngineConsumer, PauseEngineConsumerDefinition>();
        bus.AddConsumer<SetEngineLimitsConsumer, SetEngineLimitsConsumerDefinition>();
        bus.AddConsumer<ResumeSpendingConsumer, ResumeSpendingConsumerDefinition>();
        bus.AddConsumer<RecoverLedgerConsumer, RecoverLedgerConsumerDefinition>();
    }

    /// <summary>Where one process owns the ledger, every earlier owner is dead and every attempt it left open is fenced, before bus and pump start.</summary>
    public override async Task PrepareAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        if (services.GetRequiredService<IOwnerLock>() is not SoleOwnerLock)
            return;
        var sweep = services.GetRequiredService<OwnerSweep>();
        await sweep.BuryAllAsync(cancellationToken);
        await sweep.CloseAllAsync(cancellationToken);
    }
}
