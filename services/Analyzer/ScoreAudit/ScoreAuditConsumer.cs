using Assay.Analyzer.Database;
using Assay.ServiceDefaults;
using MassTransit;
namespace Assay.Analyzer.ScoreAudit;
sealed class ScoreAuditConsumer(AnalyzerDbContext db, TimeProvider time) : IConsumer<Assay.Contracts.Internal.Analyzer.ScoreAudit>
{
    public Task Consume(ConsumeContext<Contracts.Internal.Analyzer.ScoreAudit> context) => Task.CompletedTask;
}
sealed class ScoreAuditConsumerDefinition : AssayConsumerDefinition<ScoreAuditConsumer, AnalyzerDbContext>;
