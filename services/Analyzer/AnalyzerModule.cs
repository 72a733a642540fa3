using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.AnswerTexts;
using Assay.Analyzer.CompareAudits;
using Assay.Analyzer.Database;
using Assay.Analyzer.DraftInsights;
using Assay.Analyzer.EraseAnswers;
using Assay.Analyzer.Integrity;
using Assay.Analyzer.JudgeAnswers;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.RederiveAudit;
using Assay.Analyzer.ScoreAudit;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Assay.Analyzer;

/// <summary>Plans panels, reads answers and keeps their texts, scores audits, drafts insights.</summary>
public sealed class AnalyzerModule : AssayModule
{
    public override string Name => "Analyzer";

    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddOptions<JudgeOptions>().Bind(builder.Configuration.GetSection("Analyzer:Judge")).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<ReaderMemory>().AddSingleton<ReadingMemory>().AddSingleton<EvidenceMemory>().AddScoped<EvidenceReader>();
        builder.Services.AddAssayDbContext<AnalyzerDbContext, PostgreSqlAnalyzerDbContext, SqliteAnalyzerDbContext>(database);
    }

    public override void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddAssayOutbox<AnalyzerDbContext>();
        bus.AddServiceOperations<AnalyzerDbContext>(Name);
        bus.AddConsumer<PlanQueriesConsumer, PlanQueriesConsumerDefinition>();
        bus.AddConsumer<AnalyzeAnswersConsumer, AnalyzeAnswersConsumerDefinition>();
        bus.AddConsumer<ScoreAuditConsumer, ScoreAuditConsumerDefinition>();
        bus.AddConsumer<DraftInsightsConsumer, DraftInsightsConsumerDefinition>();
        bus.AddConsumer<GetAnswerTextsConsumer, GetAnswerTextsConsumerDefinition>();
        bus.AddConsumer<CompareAuditsConsumer, CompareAuditsConsumerDefinition>();
        bus.AddConsumer<RederiveAuditConsumer, RederiveAuditConsumerDefinition>();
        bus.AddConsumer<GetPartialScoresConsumer, GetPartialScoresConsumerDefinition>();
        bus.AddConsumer<EraseAnswersConsumer, EraseAnswersConsumerDefinition>();
        bus.AddConsumer<GetAnalysisFactsConsumer, GetAnalysisFactsConsumerDefinition>();
        bus.AddConsumer<DescribeAgainConsumer, DescribeAgainConsumerDefinition>();
    }
}
