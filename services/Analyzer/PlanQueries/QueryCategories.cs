using System.Collections.Frozen;

namespace Assay.Analyzer.PlanQueries;

/// <summary>The named categories of buyers' queries. A panel is spread over the planned ones in this order.</summary>
static class QueryCategories
{
    public const string CategoryBest = "category best";
    public const string Comparison = "comparison";
    public const string Alternatives = "alternatives";
    public const string Problem = "problem";
    public const string UseCase = "use case";
    public const string Price = "price";
    public const string Local = "local";
    public const string Feature = "feature";
    public const string Given = "given";
    public const string Control = "control";

    public static IReadOnlyList<string> Planned { get; } = [CategoryBest, UseCase, Problem, Price, Feature, Local, Comparison, Alternatives];

    /// <summary>Its place in <see cref="Planned"/>; −1 for any other text.</summary>
    public static int OrderOf(string category)
    {
        for (var i = 0; i < Planned.Count; i++)
        {
            if (string.Equals(Planned[i], category, StringComparison.Ordinal))
                return i;
        }

        return -1;
    }

    /// <summary>Only here may a planned query name the brand or a tracked competitor; elsewhere the name would put the answer into the engine's mouth.</summary>
    public static FrozenSet<string> MayNameBrands { get; } = FrozenSet.ToFrozenSet([Comparison, Alternatives], StringComparer.Ordinal);
}
