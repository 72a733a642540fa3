using Assay.Analyzer.Database;

namespace Assay.Analyzer.DraftInsights;

/// <summary>
/// The evidence of the audits that are drafted now, by score. Three layers open and settle within seconds of one another, and all rest on the
/// same score, which never changes once it is stored; gathering it parses every reading of the audit.
/// </summary>
sealed class EvidenceMemory() : BriefMemory<Evidence>(MostAnswers, TimeSpan.FromMinutes(2))
{
    /// <summary>An audit of 180 answers takes about half a megabyte.</summary>
    const int MostAnswers = 5_000;

    protected override int SizeOf(Evidence value) => Math.Max(1, value.Answers.Count);
}
