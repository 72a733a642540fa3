using Assay.Analyzer.Database;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>What was read from a batch's texts before its transaction began, by call key, and the reader, which takes time to make.</summary>
sealed record AnswersRead(BatchReader Reader, IReadOnlyDictionary<string, TakenAnswer> ByCallKey);

/// <summary>
/// Reads the texts of a batch before its transaction begins, no more batches at once than there are processors. Reading is work for the
/// processor alone: in a transaction it would hold a connection and locks idle, and on a busy machine longer than the five seconds after
/// which the database ends such a session, so that the whole batch would be read again and again.
/// </summary>
sealed class ReadBeforeTransaction(IServiceScopeFactory scopes, ReaderMemory readers) : IFilter<ConsumeContext<EngineAnswered>>
{
    static readonly SemaphoreSlim Readers = new(Environment.ProcessorCount);

    public async Task Send(ConsumeContext<EngineAnswered> context, IPipe<ConsumeContext<EngineAnswered>> next)
    {
        if (context.Message.Purpose == Purposes.Answer && !context.HasPayloadType(typeof(AnswersRead)) && await ReadAsync(context.Message, context.CancellationToken) is { } read)
            context.GetOrAddPayload(() => read);
        await next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("readBeforeTransaction");

    /// <summary>Null where the batch is known already or its plan is not: the consumer then says what follows.</summary>
    async Task<AnswersRead?> ReadAsync(EngineAnswered message, CancellationToken cancellationToken)
    {
        if (await FindReaderAsync(message, cancellationToken) is not { } reader)
            return null;
        await Readers.WaitAsync(cancellationToken);
        try
        {
            // What has no text of its own may have one here, which only the transaction can tell.
            return new(reader, message.Answers.Where(answer => answer.Text is not null).DistinctBy(answer => answer.CallKey, StringComparer.Ordinal)
                .ToDictionary(answer => answer.CallKey, answer => reader.Take(answer, ownText: null, ownHash: null), StringComparer.Ordinal));
        }
        finally
        {
            Readers.Release();
        }
    }

    async Task<BatchReader?> FindReaderAsync(EngineAnswered message, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<AnalyzerDbContext>();
        var found = await db.Plans.Where(plan => plan.AuditId == message.AuditId && plan.Queries != null)
            .Select(plan => new { plan.PlanId, IsKnown = db.AnalyzedBatches.Any(batch => batch.BatchId == message.BatchId) }).SingleOrDefaultAsync(cancellationToken);
        if (found is null or { IsKnown: true })
            return null;
        if (readers.Find(found.PlanId) is { } remembered)
            return remembered;
        var panel = await (from plan in db.Plans.AsNoTracking() join subject in db.Subjects.AsNoTracking() on plan.AuditId equals subject.AuditId
                           where plan.PlanId == found.PlanId && plan.AuditId == message.AuditId select new { Subject = subject, Plan = plan }).SingleOrDefaultAsync(cancellationToken);
        if (panel is null)
            return null;
        var reader = new BatchReader(panel.Subject, panel.Plan);
        readers.Remember(reader.PlanId, reader);
        return reader;
    }
}
