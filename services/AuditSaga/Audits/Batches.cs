using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Audits;

/// <summary>How a panel becomes batches: every query × run for each engine, in the order of the panel, at most so many in one batch.</summary>
static class Batches
{
    public static IReadOnlyList<AskEngine> Of(AuditState audit, RequestAudit request, IReadOnlyList<PlannedQuery> queries, int batchSize, Func<Guid> newId) =>
    [
        .. from engine in request.Engines
           from questions in QuestionsOf(request, queries).Chunk(batchSize)
           select new AskEngine
           {
               AuditId = audit.CorrelationId,
               Attempt = audit.Attempt,
               BatchId = newId(),
               Purpose = Purposes.Answer,
               Engine = engine,
               DeadlineAt = audit.DeadlineAt,
               Questions = questions,
               AskInDoubtAgain = audit.MayAskInDoubtAgain,
           },
    ];

    static IEnumerable<Question> QuestionsOf(RequestAudit request, IReadOnlyList<PlannedQuery> queries) =>
        from run in Enumerable.Range(1, request.Runs)
        from query in queries
        select new Question { QuestionId = query.QueryId, Text = query.Paraphrases.ElementAtOrDefault(run - 2) ?? query.Text, Run = run, Locale = request.Locale };
}
