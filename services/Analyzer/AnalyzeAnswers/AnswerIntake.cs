using Assay.Analyzer.Database;
using Assay.Analyzer.ReadAnswer;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>What became of one call: its outcome for the coverage, its text and what was read from it.</summary>
sealed record TakenAnswer(string Outcome, string? Reason, string? Text, string? TextHash, AnswerReading? Reading);

/// <summary>Decides what an answer counts as. Pure.</summary>
static class AnswerIntake
{
    /// <summary>Why an answer that arrived is none; the word the engines use too.</summary>
    const string Refusal = "refusal";

    /// <param name="query">The query as asked.</param>
    /// <param name="ownText">The text this service keeps under the same call key, if any.</param>
    /// <param name="ownHash">Its hash as the ledger gave it.</param>
    public static TakenAnswer Take(EngineAnswer answer, string query, string? locale, BrandLexicon lexicon, string? ownText, string? ownHash)
    {
        switch (answer.State)
        {
            case CallStates.Answered:
                break;
            case CallStates.Refused:
                return Without(AnswerOutcomes.Refused, answer, Refusal);
            case CallStates.Empty:
                return Without(AnswerOutcomes.Empty, answer, CallReasons.EmptyAnswer);
            case CallStates.InDoubt:
                return Without(AnswerOutcomes.InDoubt, answer, CallStates.InDoubt);
            default:
                return Without(AnswerOutcomes.Declined, answer, CallStates.Declined);
        }

        var text = answer.Text is { } delivered ? StorableText.Of(delivered) : null;
        if (text is null && ownText is not null && ownHash is not null && string.Equals(ownHash, answer.TextHash, StringComparison.OrdinalIgnoreCase))
            text = ownText;
        if (text is null)
            return new(AnswerOutcomes.Declined, CallReasons.TextLost, null, answer.TextHash, null);
        if (string.IsNullOrWhiteSpace(text))
            return new(AnswerOutcomes.Empty, CallReasons.EmptyAnswer, null, answer.TextHash, null);

        var reading = AnswerReader.Read(new AnswerToRead
        {
            Text = text,
            Query = query,
            Locale = locale,
            Sources = [.. answer.Sources.Select(source => new ReadAnswer.AnswerSource(source.Url, source.Title))],
        }, lexicon);
        var hash = answer.TextHash ?? Hashes.Sha256(text);
        var (outcome, reason) = Judge(reading, answer.Reason);
        return new(outcome, reason, text, hash, reading);
    }

    /// <summary>What an answer with words counts as; a valid one keeps the flag it came with, such as being cut.</summary>
    public static (string Outcome, string? Reason) Judge(AnswerReading reading, string? flag) => reading.Validity switch
    {
        AnswerValidity.Valid => (AnswerOutcomes.Valid, flag),
        AnswerValidity.Refused => (AnswerOutcomes.Refused, Refusal),
        AnswerValidity.WrongLanguage => (AnswerOutcomes.Empty, CallReasons.WrongLanguage),
        _ => (AnswerOutcomes.Empty, CallReasons.UnreadableAnswer),
    };

    /// <summary>A refusal or an unusable answer may have words of its own: they are kept to be looked at, and not read.</summary>
    static TakenAnswer Without(string outcome, EngineAnswer answer, string reason)
    {
        var text = string.IsNullOrEmpty(answer.Text) ? null : StorableText.Of(answer.Text);
        return new(outcome, answer.Reason ?? reason, text, answer.TextHash ?? (text is null ? null : Hashes.Sha256(text)), null);
    }
}
