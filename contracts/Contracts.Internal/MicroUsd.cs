namespace Assay.Contracts.Internal;

/// <summary>Money between services is whole micro-dollars; the public contracts speak decimal dollars.</summary>
public static class MicroUsd
{
    /// <summary>Micro-dollars of an amount in dollars, rounded up: a price is never understated.</summary>
    /// <exception cref="OverflowException">The amount is beyond ±9.2 trillion dollars.</exception>
    public static long FromUsd(decimal usd) => checked((long)decimal.Ceiling(usd * 1_000_000m));

    /// <summary>Dollars of an amount in micro-dollars.</summary>
    public static decimal ToUsd(long microUsd) => microUsd / 1_000_000m;
}
