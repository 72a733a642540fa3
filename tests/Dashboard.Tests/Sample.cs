using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Dashboard.Tests;

/// <summary>An audit of two queries on two engines, as the other services would tell it.</summary>
static class Sample
{
    public static readonly DateTime Start = new(2026, 11, 22, 4, 0, 0, DateTimeKind.Utc);

    public static readonly string[] QueryTexts = ["best earbuds for working out", "which headphones last longest"];

    public static DateTime At(double seconds) => Start.AddSeconds(seconds);

    public static RequestAudit Request(Guid auditId, string brand = "Anker", params string[] engines) => new()
    {
        AuditId = auditId,
        Brand = new Brand { Name = brand, Domain = "anker.com", Aliases = ["Soundcore"], Features = ["battery life"] },
        Competitors = [new Competitor { Name = "Sony", Domain = "sony.com" }],
        Queries = QueryTexts,
        Engines = engines.Length == 0 ? ["chatgpt", "claude"] : engines,
        CeilingUsd = 5,
        RequestedBy = "tests",
    };

    public static AuditRegistered Registered(Guid auditId, int attempt = 1, double at = 0, RequestAudit? request = null) => new()
    {
        AuditId = auditId, Attempt = attempt, Request = request ?? Request(auditId), TrackingId = auditId, Ancestry = [], Depth = 0,
        CeilingMicroUsd = 5_000_000, RegisteredAt = At(at), DeadlineAt = At(at + 1800),
    };

    public static AuditAccepted Accepted(Guid auditId, int attempt = 1, double at = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, TrackingId = auditId, Depth = 0, PlannedCalls = 4, WorstCaseUsd = 0.4m, CeilingUsd = 5, AcceptedAt = At(at), DeadlineAt = At(1800),
    };

    public static AuditTransitioned Transitioned(Guid auditId, int sequence, string from, string to, int attempt = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, Sequence = sequence, From = from, To = to, Trigger = "Test", Worker = "w1", At = At(sequence), ElapsedMs = 1000,
    };

    public static AuditProgressed Progressed(Guid auditId, string phase, int completed, double at, int attempt = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, Phase = phase, CompletedCalls = completed, PlannedCalls = 4, Fraction = completed / 5.0, SpentUsd = completed * 0.01m,
        CeilingUsd = 5, LastProgressAt = At(at), Worker = "w1",
    };

    public static BudgetReported Budget(Guid auditId, long version, long spent, bool final, int attempt = 1, int inDoubt = 0, long reserved = 0) => new()
    {
        AuditId = auditId, Attempt = attempt, Version = version, CeilingMicroUsd = 5_000_000, ReservedMicroUsd = reserved, SpentMicroUsd = spent, InDoubtMicroUsd = inDoubt * 100_000,
        OverrunMicroUsd = 0, Calls = 4, PaidTries = 4, InDoubt = inDoubt, Reused = 0, Final = final, At = At(version),
    };

    public static QueriesPlanned Planned(Guid auditId) => new()
    {
        AuditId = auditId, Attempt = 1, PlanId = Guid.CreateVersion7(), Source = "given", SpentMicroUsd = 0,
        Queries = [.. QueryTexts.Select((text, i) => new PlannedQuery { QueryId = $"q{i + 1:000}", Text = text, Category = "given", Branded = false, Control = false })],
    };

    public static DescribedAnswer Answer(string engine, int query, string text = "1. Anker Soundcore is the best choice. Sony follows.", string outcome = "valid", string? reason = null)
    {
        var start = text.IndexOf("Anker", StringComparison.Ordinal);
        var rival = text.IndexOf("Sony", StringComparison.Ordinal);
        return new DescribedAnswer
        {
            CallKey = $"key-{engine}-q{query:000}", QueryId = $"q{query:000}", Query = QueryTexts[query - 1], Category = "given", Branded = false, Control = false, Run = 1,
            Outcome = outcome, Reason = reason, RequestedModel = "model-1", ServedModel = "model-1a", Surface = "simulated", Excerpt = text, TextLength = outcome == "valid" ? text.Length : 0,
            TextHash = "hash", ResponseTimeMs = 120, InputTokens = 10, OutputTokens = 50, CostMicroUsd = 1000, PaidTries = outcome == "declined" ? 0 : 1, MatcherVersion = "matcher-1",
            Mentions = outcome != "valid" ? [] :
            [
                .. start < 0 ? Array.Empty<DescribedMention>() : [new DescribedMention { Brand = "Anker", Alias = "Anker", Start = start, End = start + 5, Rank = 1, Sentiment = 1, Recommendation = 1, Context = "is the best" }],
                .. rival < 0 ? Array.Empty<DescribedMention>() : [new DescribedMention { Brand = "Sony", Alias = "Sony", Start = rival, End = rival + 4, Rank = 2, Sentiment = 0, Recommendation = 0.5, Context = "Sony follows" }],
            ],
            Citations = [new DescribedCitation { Url = "https://example.org/a", Domain = "example.org", Category = "thirdParty", Cited = true }],
            Features = ["battery life"], OtherBrands = ["Bose"], SnippetPotential = 0.4, VoiceFitness = 0.6,
        };
    }

    public static AnswersDescribed Described(Guid auditId, Guid batchId, string engine, int attempt = 1, params DescribedAnswer[] answers) => new()
    {
        AuditId = auditId, Attempt = attempt, BatchId = batchId, Engine = engine, EngineKind = "scripted", Simulated = true,
        Answers = answers.Length > 0 ? answers : [Answer(engine, 1), Answer(engine, 2)],
    };

    public static CoverageCounts Coverage(int valid) => new() { Planned = valid, Valid = valid, Declined = 0, Refused = 0, Empty = 0, InDoubt = 0, Reused = 0 };

    public static ScoreValue Value(double value, double low, double high, int n = 2) => new() { Value = value, Low = low, High = high, N = n };

    public static AuditScored Scored(Guid auditId, Guid scoreId, int attempt = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, ScoreId = scoreId, MetricsVersion = "metrics-v1", Simulated = true,
        Scores = new Dictionary<string, ScoreValue>(StringComparer.Ordinal)
        {
            ["visibility"] = Value(0.62, 0.45, 0.78), ["shareOfVoice"] = Value(0.4, 0.3, 0.5), ["mrr"] = Value(0.5, 0.4, 0.6), ["recommendationRate"] = Value(0.3, 0.2, 0.4),
            ["citationRate"] = new ScoreValue(), ["netSentiment"] = Value(0.2, -0.1, 0.4), ["overall"] = Value(55, 42, 66),
        },
        Coverage = Coverage(4),
        Engines = [.. new[] { "chatgpt", "claude" }.Select(e => new GroupScores { Name = e, Model = "model-1", Simulated = true, Coverage = Coverage(2), Scores = new Dictionary<string, ScoreValue>(StringComparer.Ordinal) { ["visibility"] = Value(0.6, 0.3, 0.8) } })],
        Categories = [new GroupScores { Name = "given", Coverage = Coverage(4), Scores = new Dictionary<string, ScoreValue>(StringComparer.Ordinal) { ["visibility"] = Value(0.6, 0.3, 0.8) } }],
        Competitors = [new CompetitorScores { Name = "Sony", Scores = new Dictionary<string, ScoreValue>(StringComparer.Ordinal) { ["visibility"] = Value(0.5, 0.3, 0.7) }, Difference = Value(0.12, -0.1, 0.3), Detectable = false }],
        Queries = [.. QueryTexts.Select((q, i) => new QueryScores { QueryId = $"q{i + 1:000}", Query = q, Category = "given", Branded = false, ValidAnswers = 2, Mentions = 2, Visibility = Value(1, 0.34, 1) })],
        ScoredAt = At(60),
    };

    public static InsightsDrafted Insights(Guid auditId, int layer, int attempt = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, Layer = layer, Simulated = true, SpentMicroUsd = 0,
        Insights = [new Insight { InsightId = $"L{layer}-01", Layer = layer, Theme = "position", Title = $"Finding of layer {layer}", Text = "Named first in most answers.", Available = true, CallKeys = ["key-chatgpt-q001"], InsightIds = [] }],
        Recommendations = layer == 3 ? [new Recommendation { Title = "Publish a comparison", Action = "Write about battery life.", Metric = "visibility", CallKeys = ["key-claude-q002"] }] : [],
    };

    public static AnswersJudged Judged(Guid auditId, int attempt = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, Simulated = true, Asked = 4, Judged = 3, RecommendationKappa = 0.41, SentimentKappa = null,
        RecommendationAgreement = Value(0.41, 0.12, 0.7, 3), SentimentAgreement = new ScoreValue { N = 3 }, FeaturesAgree = 0.667, SpentMicroUsd = 3000,
        Disagreements = [new JudgeDisagreement { CallKey = "key-claude-q002", ReadRecommendation = 1, JudgedRecommendation = 0.5, ReadSentiment = 1, JudgedSentiment = 1 }],
        Opinions =
        [
            new JudgeOpinion { CallKey = "key-chatgpt-q001", ReadRecommendation = 1, ReadSentiment = 1, Recommendation = 1, Sentiment = 1, Disagrees = false },
            new JudgeOpinion { CallKey = "key-chatgpt-q002", ReadRecommendation = 1, ReadSentiment = 1, Reason = "it judged another answer than the one asked about.", Disagrees = false },
            new JudgeOpinion { CallKey = "key-claude-q002", ReadRecommendation = 1, ReadSentiment = 1, Recommendation = 0.5, Sentiment = 1, Features = ["battery life"], Disagrees = true },
        ],
    };

    public static PublishReport Manifest(Guid auditId, Guid scoreId, IReadOnlyList<Guid> batches, int answers = 4, int attempt = 1) => new()
    {
        AuditId = auditId, Attempt = attempt, BatchIds = batches, AnswerCount = answers, ScoreId = scoreId, Layers = [1, 2, 3],
    };

    public static AuditCompleted Completed(Guid auditId, int attempt = 1, double at = 70) => new()
    {
        AuditId = auditId, Attempt = attempt, Brand = "Anker", MetricsVersion = "metrics-v1", Scores = Scored(auditId, Guid.Empty).Scores, Coverage = 1, Simulated = true, SpentUsd = 0.04m, CompletedAt = At(at),
    };

    public static AuditFailed Failed(Guid auditId, int attempt = 1, double at = 50, string reason = FailureReasons.Stalled) => new()
    {
        AuditId = auditId, Attempt = attempt, Reason = reason, Detail = "Nothing moved for 5 minutes.", Phase = AuditStates.Asking, SpentUsd = 0.02m, FailedAt = At(at),
    };

    public static AuditRejected Rejected(Guid auditId, string reason, double at = 1, Guid? existing = null) => new()
    {
        AuditId = auditId, Reason = reason, Detail = $"Refused because of {reason}.", ExistingAuditId = existing, RejectedAt = At(at),
    };
}
