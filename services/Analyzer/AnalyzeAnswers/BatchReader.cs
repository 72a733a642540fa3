using Assay.Analyzer.PlanQueries;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>Reads the answers of one audit's panel: which brands it looks for and what was asked. Pure.</summary>
sealed class BatchReader
{
    readonly RequestAudit _request;
    readonly Dictionary<string, PlannedQuery> _queries;
    readonly TrackedBrands _brands;
    readonly Lazy<TrackedBrands> _fictitious;

    public BatchReader(SubjectRow subject, PlanRow plan)
    {
        PlanId = plan.PlanId;
        _request = subject.ReadRequest();
        _queries = plan.ReadQueries().ToDictionary(query => query.QueryId, StringComparer.Ordinal);
        _brands = TrackedBrands.Of(_request);
        _fictitious = new(() => TrackedBrands.OnlyOf(QueryPlanner.FictitiousBrand(_request, _brands.AreNamedIn)));
    }

    /// <summary>The plan it was made of.</summary>
    public Guid PlanId { get; }

    /// <summary>The planned query an answer belongs to; one that is not in the plan is told from its own words.</summary>
    public PlannedQuery QueryOf(EngineAnswer answer) => _queries.GetValueOrDefault(answer.QuestionId) ?? new PlannedQuery
    {
        QueryId = answer.QuestionId,
        Text = answer.Query,
        Category = QueryCategories.Given,
        Branded = _brands.AreNamedIn(answer.Query),
        Control = false,
    };

    /// <param name="answer">The answer.</param>
    /// <param name="ownText">The text this service keeps under the same call key, if any.</param>
    /// <param name="ownHash">Its hash as the ledger gave it.</param>
    public TakenAnswer Take(EngineAnswer answer, string? ownText, string? ownHash) =>
        AnswerIntake.Take(answer, Asked(answer, QueryOf(answer)), _request.Locale, _brands.Lexicon, ownText, ownHash);

    /// <summary>Whether an answer to the control query names the brand that does not exist.</summary>
    public bool NamesFictitious(EngineAnswer answer, PlannedQuery query, TakenAnswer taken) =>
        query.Control && taken is { Outcome: AnswerOutcomes.Valid, Text: { } text } && _fictitious.Value.AreNamedIn(text, Asked(answer, query));

    /// <summary>The wording that was asked: a paraphrase in further runs. What an answer echoes is that.</summary>
    static string Asked(EngineAnswer answer, PlannedQuery query) => answer.Query.Length > 0 ? answer.Query : query.Text;
}
