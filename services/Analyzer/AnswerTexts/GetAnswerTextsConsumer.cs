using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.AnswerTexts;

/// <summary>Gives out full texts; nobody else keeps them.</summary>
sealed class GetAnswerTextsConsumer(AnalyzerDbContext db) : IConsumer<GetAnswerTexts>
{
    public const int MaxKeys = 200;

    public async Task Consume(ConsumeContext<GetAnswerTexts> context)
    {
        var message = context.Message;
        var keys = message.CallKeys.Distinct(StringComparer.Ordinal).Take(MaxKeys).ToList();
        var rows = await db.Answers.AsNoTracking()
            .Where(x => x.AuditId == message.AuditId && keys.Contains(x.CallKey) && x.Text != null && x.TextHash != null)
            .Select(x => new { x.CallKey, x.Text, x.TextHash, x.Sources })
            .ToArrayAsync(context.CancellationToken);
        await context.RespondAsync(new Contracts.Internal.Analyzer.AnswerTexts
        {
            AuditId = message.AuditId,
            Texts =
            [
                .. from row in rows
                   select new AnswerText
                   {
                       CallKey = row.CallKey,
                       Text = row.Text!,
                       TextHash = row.TextHash!,
                       Sources = JsonColumn.Read<List<AnswerSource>>(row.Sources, $"the sources of answer {row.CallKey} of audit {message.AuditId}"),
                   },
            ],
        });
    }
}

/// <summary>Only reads: no outbox, no redelivery – whoever asked has given up waiting by then.</summary>
sealed class GetAnswerTextsConsumerDefinition : ConsumerDefinition<GetAnswerTextsConsumer>;
