using Microsoft.Extensions.Caching.Memory;

namespace Assay.Analyzer.DraftInsights;

/// <summary>
/// The evidence of the audits that are drafted now. Three layers open and settle within seconds of one another, and all rest on the same
/// score, which never changes once it is stored; gathering it parses every reading of the audit. What is not here is read again.
/// </summary>
sealed class EvidenceMemory : IDisposable
{
    /// <summary>An audit of 180 answers takes about half a megabyte.</summary>
    const int MostAnswers = 5_000;

    static readonly TimeSpan Life = TimeSpan.FromMinutes(2);

    readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MostAnswers });

    public Evidence? Find(Guid scoreId) => _known.Get<Evidence>(scoreId);

    public void Remember(Guid scoreId, Evidence evidence) =>
        _known.Set(scoreId, evidence, new MemoryCacheEntryOptions { Size = Math.Max(1, evidence.Answers.Count), AbsoluteExpirationRelativeToNow = Life });

    public void Dispose() => _known.Dispose();
}
