using Microsoft.Extensions.Caching.Memory;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>
/// Readers of the panels that are answered now, by plan. A panel never changes once it is planned, and its batches arrive within seconds of
/// one another; making a reader parses request and plan and compiles every name. What is not here is made again.
/// </summary>
sealed class ReaderMemory : IDisposable
{
    const int MostPanels = 200;

    static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MostPanels });

    public BatchReader? Find(Guid planId) => _known.Get<BatchReader>(planId);

    public void Remember(Guid planId, BatchReader reader) =>
        _known.Set(planId, reader, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = Life });

    public void Dispose() => _known.Dispose();
}
