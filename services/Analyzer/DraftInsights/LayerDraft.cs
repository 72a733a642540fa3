using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.DraftInsights;

/// <summary>Decides what the advisor's answers make of a layer. Pure.</summary>
static class LayerDraft
{
    /// <summary>The whole layer asked for the first time.</summary>
    public static IReadOnlyList<Question> FirstQuestions(int layer, Evidence evidence, IReadOnlyList<Insight> below) =>
        [.. InsightThemes.Of(layer).Select(theme => InsightPrompt.Build(theme, evidence, below, run: 1, complaint: null))];

    /// <summary>Every insight of a layer that cannot be had for one common reason.</summary>
    public static IReadOnlyList<Insight> Unavailable(int layer, string reason) =>
        [.. InsightThemes.Of(layer).Select(theme => InsightCheck.Unavailable(theme, reason))];

    /// <summary>
    /// Checks the answers to the open questions. What an answer lacks is asked again in the first round and unavailable in the
    /// second; what has no answer at all is unavailable at once, for asking again is the ledger's business.
    /// </summary>
    public static LayerProgress Judge(int layer, int round, IReadOnlyList<Question> asked, IReadOnlyList<EngineAnswer> answers, Evidence evidence, IReadOnlyList<Insight> below)
    {
        var settled = new List<Insight>();
        var again = new List<Question>();
        var recommendations = new List<Recommendation>();
        var byQuestion = answers.GroupBy(answer => answer.QuestionId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        foreach (var theme in InsightThemes.Of(layer))
        {
            if (!asked.Any(question => question.QuestionId == theme.InsightId))
                continue;
            var answer = byQuestion.GetValueOrDefault(theme.InsightId);
            if (answer is not { State: CallStates.Answered })
            {
                settled.Add(InsightCheck.Unavailable(theme, WhyNot(answer)));
                continue;
            }

            if (answer.Text is null)
            {
                settled.Add(InsightCheck.Unavailable(theme, $"The advisor's answer {answer.CallKey} was paid in an earlier attempt and its text is no longer kept."));
                continue;
            }

            var check = InsightCheck.Check(theme, answer.Text, evidence, below);
            if (check.Insight is { } insight)
            {
                settled.Add(insight);
                recommendations.AddRange(check.Recommendations);
            }
            else if (round == 1)
                again.Add(InsightPrompt.Build(theme, evidence, below, run: 2, check.Complaint));
            else
                settled.Add(InsightCheck.Unavailable(theme, $"The advisor's answer was rejected twice; the last time because {check.Complaint}"));
        }

        return new(settled, again, recommendations);
    }

    static string WhyNot(EngineAnswer? answer) => answer switch
    {
        null => "The gateway reported no outcome for this question.",
        { State: CallStates.Declined } => $"The advisor was not asked: {answer.Reason ?? "no reason given"}.",
        { State: CallStates.Refused } => $"The advisor refused to answer{Detail(answer)}.",
        { State: CallStates.Empty } => $"The advisor's answer was not usable{Detail(answer)}.",
        { State: CallStates.InDoubt } => $"The outcome of the advisor's call is in doubt{Detail(answer)}; a retry may ask again if it is permitted.",
        _ => $"The advisor's call ended as {answer.State}{Detail(answer)}.",
    };

    static string Detail(EngineAnswer answer) => answer.Reason is { } reason ? $" ({reason})" : "";
}

/// <summary>What a round settled and what has to be asked once more.</summary>
sealed record LayerProgress(IReadOnlyList<Insight> Settled, IReadOnlyList<Question> Again, IReadOnlyList<Recommendation> Recommendations);
