using Assay.Analyzer.Database;
using Assay.Analyzer.DraftInsights;
using Assay.Analyzer.Score.Statistics;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.JudgeAnswers;

/// <summary>Holds the judge's opinions against the deterministic readings. Pure.</summary>
static class Agreement
{
    const int MaxDisagreements = 100;

    public static IReadOnlyList<JudgementRow> Rows(Guid auditId, int attempt, IReadOnlyList<Question> asked, IReadOnlyList<EngineAnswer> answers, Evidence evidence, IReadOnlyList<string> features)
    {
        var read = evidence.Answers.ToDictionary(answer => answer.CallKey, StringComparer.Ordinal);
        var said = answers.GroupBy(answer => answer.QuestionId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        return
        [
            .. from question in asked
               where read.ContainsKey(question.QuestionId)
               select Row(auditId, attempt, read[question.QuestionId], said.GetValueOrDefault(question.QuestionId), features),
        ];
    }

    public static AnswersJudged Report(Guid auditId, int attempt, bool simulated, long spentMicroUsd, IReadOnlyList<JudgementRow> rows, IReadOnlyDictionary<string, string> queryOf)
    {
        var judged = rows.Where(row => row.Recommendation is not null).ToList();
        var features = judged.Where(row => row.Features is not null).ToList();
        return new()
        {
            AuditId = auditId,
            Attempt = attempt,
            Simulated = simulated,
            Asked = rows.Count,
            Judged = judged.Count,
            RecommendationKappa = CohensKappa.Of(judged.ConvertAll(row => (row.ReadRecommendation, row.Recommendation!.Value))),
            SentimentKappa = CohensKappa.Of(judged.ConvertAll(row => (row.ReadSentiment, row.Sentiment!.Value))),
            RecommendationAgreement = Value(CohensKappa.ByCluster(judged.ConvertAll(row => (queryOf[row.CallKey], row.ReadRecommendation, row.Recommendation!.Value)))),
            SentimentAgreement = Value(CohensKappa.ByCluster(judged.ConvertAll(row => (queryOf[row.CallKey], row.ReadSentiment, row.Sentiment!.Value)))),
            FeaturesAgree = features.Count == 0 ? null : (double)features.Count(row => row.Features == row.ReadFeatures) / features.Count,
            Disagreements =
            [
                .. judged.Where(row => row.Disagrees).OrderBy(row => row.CallKey, StringComparer.Ordinal).Take(MaxDisagreements).Select(row => new JudgeDisagreement
                {
                    CallKey = row.CallKey,
                    ReadRecommendation = row.ReadRecommendation,
                    JudgedRecommendation = row.Recommendation!.Value,
                    ReadSentiment = row.ReadSentiment,
                    JudgedSentiment = row.Sentiment!.Value,
                }),
            ],
            SpentMicroUsd = spentMicroUsd,
            Opinions =
            [
                .. rows.OrderBy(row => row.CallKey, StringComparer.Ordinal).Select(row => new JudgeOpinion
                {
                    CallKey = row.CallKey,
                    ReadRecommendation = row.ReadRecommendation,
                    ReadSentiment = row.ReadSentiment,
                    ReadFeatures = Features(row.ReadFeatures) ?? [],
                    Recommendation = row.Recommendation,
                    Sentiment = row.Sentiment,
                    Features = Features(row.Features),
                    Reason = row.Reason,
                    Disagrees = row.Disagrees,
                }),
            ],
        };

        static IReadOnlyList<string>? Features(string? json) => json is null ? null : JsonColumn.Read<List<string>>(json, "the features of a judgement");
    }

    static ScoreValue Value(Estimate estimate) => new() { Value = estimate.Value, Low = estimate.Low, High = estimate.High, N = estimate.N };

    static JudgementRow Row(Guid auditId, int attempt, EvidenceAnswer read, EngineAnswer? said, IReadOnlyList<string> features)
    {
        var (judgement, reason) = said switch
        {
            { State: CallStates.Answered } => Judgement.Read(said.Text, read.CallKey, features),
            null => (null, "the gateway reported no outcome."),
            _ => (null, $"the call ended as {said.State}{(said.Reason is null ? "" : $" ({said.Reason})")}."),
        };
        var own = read.Own ?? new EvidenceMention("", null, 0, 0);
        var readFeatures = JsonColumn.Write(features.Where(feature => read.Features.Contains(feature, StringComparer.OrdinalIgnoreCase)));
        var judgedFeatures = judgement?.Features is { } named ? JsonColumn.Write(named) : null;
        return new()
        {
            AuditId = auditId,
            Attempt = attempt,
            CallKey = read.CallKey,
            Recommendation = judgement?.Recommendation,
            Sentiment = judgement?.Sentiment,
            Features = judgedFeatures,
            Reason = judgement is null ? reason : null,
            ReadRecommendation = own.Recommendation,
            ReadSentiment = own.Sentiment,
            ReadFeatures = readFeatures,
            Disagrees = judgement is not null && (judgement.Recommendation != own.Recommendation || judgement.Sentiment != own.Sentiment || judgedFeatures is not null && judgedFeatures != readFeatures),
        };
    }
}
