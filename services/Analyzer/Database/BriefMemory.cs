using Microsoft.Extensions.Caching.Memory;

namespace Assay.Analyzer.Database;

/// <summary>What was made from rows that never change and will be wanted again within seconds, by the row's id. What is not here is made again.</summary>
/// <param name="limit">The most that is kept, in the unit of <see cref="SizeOf"/>.</param>
/// <param name="life">How long a value is kept.</param>
abstract class BriefMemory<T>(int limit, TimeSpan life) : IDisposable where T : class
{
    readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = limit });

    public T? Find(Guid id) => _known.Get<T>(id);

    public void Remember(Guid id, T value) =>
        _known.Set(id, value, new MemoryCacheEntryOptions { Size = SizeOf(value), AbsoluteExpirationRelativeToNow = life });

    public void Dispose() => _known.Dispose();

    /// <summary>What a value takes of the limit, at least 1.</summary>
    protected virtual int SizeOf(T value) => 1;
}
