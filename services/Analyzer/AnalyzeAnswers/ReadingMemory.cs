using Assay.Analyzer.Database;
using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>
/// The readings of the batches that are analysed now, by batch and call key, as their rows were first stored. Scores and insights want all
/// readings of an audit within seconds, and to load and parse them again takes half as long as reading the texts did.
/// </summary>
sealed class ReadingMemory() : BriefMemory<IReadOnlyDictionary<string, AnswerReading>>(MostAnswers, TimeSpan.FromMinutes(2))
{
    /// <summary>A reading takes about four kilobytes.</summary>
    const int MostAnswers = 6_000;

    protected override int SizeOf(IReadOnlyDictionary<string, AnswerReading> value) => Math.Max(1, value.Count);
}
