namespace Assay.EndToEnd;

/// <summary>What one audit of 180 calls may cost that does not depend on how fast the machine is.</summary>
/// <param name="Commits">COMMITs in a service's database; a statement in no transaction of its own is a statement only.</param>
/// <param name="Statements">Statements of a service's database, those that begin and end transactions included.</param>
public sealed record DatabaseCost(double Commits, double Statements);

/// <summary>
/// The bounds of the regression guard, in this one place. Each is about a quarter above what was measured when it was written, commits and what
/// is projected together further, since a slow machine gathers less in one: a change that
/// crosses one has made every audit dearer, and either has a reason – then the bound moves, with docs/benchmarks.md – or is mended.
/// </summary>
public static class CostOfAnAudit
{
    /// <summary>By service.</summary>
    public static readonly IReadOnlyDictionary<string, DatabaseCost> Databases = new Dictionary<string, DatabaseCost>(StringComparer.Ordinal)
    {
        ["AuditSaga"] = new(25, 165),
        ["LlmGateway"] = new(75, 520),
        ["Analyzer"] = new(18, 190),
        ["Dashboard"] = new(25, 150),
    };

    /// <summary>Messages published to the broker.</summary>
    public const double Messages = 85;

    /// <summary>What PostgreSQL writes to its log, all four databases together, in kB.</summary>
    public const double WalKilobytes = 3400;
}
