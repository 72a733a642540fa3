using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Command = Assay.Contracts.Internal.Analyzer.EraseAnswers;

namespace Assay.Analyzer.EraseAnswers;

/// <summary>Deletes an audit's rows in the consumer's transaction. Whether the audit has ended is the asker's to know.</summary>
sealed partial class EraseAnswersConsumer(AnalyzerDbContext db, ILogger<EraseAnswersConsumer> logger) : IConsumer<Command>
{
    public async Task Consume(ConsumeContext<Command> context)
    {
        var auditId = context.Message.AuditId;
        var cancellationToken = context.CancellationToken;
        var answers = await db.Answers.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.AnalyzedBatches.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Scores.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Insights.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Judgements.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.JudgeBatches.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Drafts.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Plans.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Subjects.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        Erased(logger, auditId, answers, context.Message.RequestedBy);
        var erased = new AnswersErased { AuditId = auditId, Answers = answers };
        // The ledger holds what was asked, and insights' texts; it may be away now.
        await context.Publish(erased, cancellationToken);
        await context.RespondAsync(erased);
    }

    [LoggerMessage(LogLevel.Information, "Erased audit {AuditId} with {Answers} answers, as {RequestedBy} asked")]
    static partial void Erased(ILogger logger, Guid auditId, int answers, string requestedBy);
}

sealed class EraseAnswersConsumerDefinition : AssayConsumerDefinition<EraseAnswersConsumer, AnalyzerDbContext>;
