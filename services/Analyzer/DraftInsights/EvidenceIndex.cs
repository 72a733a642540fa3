using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Assay.Analyzer.DraftInsights;

/// <summary>What every prompt and every check of an audit needs of its evidence, made once for all of its 22 insights.</summary>
sealed class EvidenceIndex
{
    static readonly ConditionalWeakTable<Evidence, EvidenceIndex> Known = [];

    readonly ConcurrentDictionary<string, IReadOnlyList<EvidenceAnswer>> _shown = new(StringComparer.Ordinal);

    EvidenceIndex(Evidence evidence)
    {
        Ordered = evidence with { Answers = [.. evidence.Answers.OrderBy(a => a.QueryId, StringComparer.Ordinal).ThenBy(a => a.Engine, StringComparer.Ordinal).ThenBy(a => a.CallKey, StringComparer.Ordinal)] };
        Aliases = CallAliases.Of(evidence);
        Numbers = StatedNumbers.Of(evidence);
    }

    public static EvidenceIndex Of(Evidence evidence) => Known.GetValue(evidence, static evidence => new(evidence));

    /// <summary>The evidence with its answers in an order that does not depend on how they came from the database.</summary>
    public Evidence Ordered { get; }

    public CallAliases Aliases { get; }

    /// <summary>The numbers of the audit itself, whatever an insight was shown.</summary>
    public StatedNumbers Numbers { get; }

    /// <summary>What the advisor is shown for a finding, which rests on nothing but the evidence: asked for when its answer is checked.</summary>
    public IReadOnlyList<EvidenceAnswer> ShownFor(InsightTheme finding, Func<IReadOnlyList<EvidenceAnswer>> compose) =>
        _shown.GetOrAdd(finding.InsightId, static (_, compose) => compose(), compose);
}
