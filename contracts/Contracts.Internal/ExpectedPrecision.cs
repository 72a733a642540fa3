namespace Assay.Contracts.Internal;

/// <summary>What precision a number of calls buys: quotes and scores reckon alike.</summary>
public static class ExpectedPrecision
{
    /// <summary>
    /// How alike two answers to one query are (intra-class correlation). On 528 recorded answers the correlation of 26 brands
    /// lies between about 0 and .9, .3 on average where the queries are paraphrases of one need, .6 for brands that compete in
    /// several; an audit's queries differ more than paraphrases do.
    /// </summary>
    public const double Likeness = .5;

    /// <summary>
    /// The expected half-width of the 95 % interval of visibility, as a share (.1 = ten points), for the least certain case of
    /// a brand named in half of the answers: 1.96 √(p(1−p) (ρ + (1−ρ)/m) / q) with m answers to each of q queries.
    /// </summary>
    public static double HalfWidth(int queries, int engines, int runs)
    {
        if (queries <= 0 || engines <= 0 || runs <= 0)
            throw new ArgumentOutOfRangeException(nameof(queries), $"An expected half-width was asked for {queries} queries, {engines} engines, {runs} runs: each must be at least 1.");
        var answers = (double)engines * runs;
        var variance = .25 * (Likeness + (1 - Likeness) / answers) / queries;
        return Math.Min(.5, 1.96 * Math.Sqrt(variance));
    }
}
