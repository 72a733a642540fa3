using Assay.Contracts.Internal;

namespace Assay.LlmGateway.Engines;

/// <summary>Prices of an engine in US dollars. What they make is whole micro-dollars, rounded up once per call.</summary>
public sealed record EnginePrices
{
    /// <summary>Per million input tokens: at the same time micro-dollars per token.</summary>
    public decimal InputUsdPerMTok { get; init; }

    /// <summary>Per million output tokens.</summary>
    public decimal OutputUsdPerMTok { get; init; }

    /// <summary>Per request, whatever its size.</summary>
    public decimal RequestUsd { get; init; }

    /// <summary>Per request that searched the web.</summary>
    public decimal SearchUsd { get; init; }

    /// <summary>Nothing is paid.</summary>
    public static EnginePrices Free { get; } = new();

    /// <summary>Upper bound of one try: every byte a token, every permitted token written, one search.</summary>
    public long WorstCaseMicroUsd(int inputBytes, int maxOutputTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inputBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(maxOutputTokens);
        return MicroUsd.FromUsd((inputBytes * InputUsdPerMTok + maxOutputTokens * OutputUsdPerMTok) / 1_000_000m + RequestUsd + SearchUsd);
    }

    /// <summary>Whether usage data suffice for <see cref="ActualMicroUsd"/>; if not, a billed try settles at its worst case.</summary>
    public bool CanPrice(int? inputTokens, int? outputTokens) =>
        (inputTokens is not null || InputUsdPerMTok == 0) && (outputTokens is not null || OutputUsdPerMTok == 0);

    /// <summary>The real price of a billed try. A search that nobody denied is paid.</summary>
    /// <exception cref="ArgumentNullException">A token count is unknown and its price is not zero: see <see cref="CanPrice"/>.</exception>
    public long ActualMicroUsd(int? inputTokens, int? outputTokens, bool? searchUsed)
    {
        if (InputUsdPerMTok != 0)
            ArgumentNullException.ThrowIfNull(inputTokens);
        if (OutputUsdPerMTok != 0)
            ArgumentNullException.ThrowIfNull(outputTokens);
        return MicroUsd.FromUsd(((inputTokens ?? 0) * InputUsdPerMTok + (outputTokens ?? 0) * OutputUsdPerMTok) / 1_000_000m
            + RequestUsd + (searchUsed == false ? 0 : SearchUsd));
    }
}
