using System.Globalization;
using Assay.Contracts;

namespace Assay.Contracts.Internal.AuditSaga;

/// <summary>One thing wrong with a request: which field, what is wrong, what would be right.</summary>
public sealed record RequestProblem(string Field, string Problem)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field}: {Problem}";
}

/// <summary>What a valid <see cref="RequestAudit"/> is. The saga decides by it; command line and REST use the same rules to answer at once.</summary>
public static class AuditRequestRules
{
    public const int MaxQueries = 1000;
    public const int MaxQueryLength = 2000;
    public const int MaxEngines = 20;
    public const int MaxCompetitors = 50;
    public const int MaxRuns = 10;
    public const int MaxNameLength = 200;
    public const int MaxAliases = 50;
    public const int MaxCalls = 20_000;

    /// <summary>Every problem of a request; empty if it is valid. Tolerates nulls that a JSON body may have put where the contract has none.</summary>
    public static IReadOnlyList<RequestProblem> Check(RequestAudit? request)
    {
        if (request is null)
            return [new("request", "is empty; `assay init` prints an example")];

        List<RequestProblem> problems = [];
        void Add(string field, string problem) => problems.Add(new(field, problem));

        if (request.AuditId == Guid.Empty)
            Add("auditId", "must not be the empty id; leave it out to get a new one");
        if (request.Kind is not (AuditKinds.Brand or AuditKinds.Competitor or AuditKinds.Product))
            Add("kind", $"is '{Shown(request.Kind)}'; use brand, competitor or product");

        if (request.Brand is null)
            Add("brand", "is missing; give at least { \"name\": \"…\" }");
        else
        {
            CheckName("brand.name", request.Brand.Name, Add);
            CheckAliases("brand.aliases", request.Brand.Aliases, Add);
            CheckAliases("brand.features", request.Brand.Features, Add);
        }

        var competitors = request.Competitors ?? [];
        if (competitors.Count > MaxCompetitors)
            Add("competitors", $"has {competitors.Count} entries; at most {MaxCompetitors}");
        for (var i = 0; i < Math.Min(competitors.Count, MaxCompetitors); i++)
        {
            CheckName($"competitors[{i}].name", competitors[i]?.Name, Add);
            CheckAliases($"competitors[{i}].aliases", competitors[i]?.Aliases, Add);
        }

        if (competitors.Where(c => c?.Name is not null && request.Brand?.Name is not null)
            .Any(c => string.Equals(c.Name.Trim(), request.Brand!.Name.Trim(), StringComparison.OrdinalIgnoreCase)))
            Add("competitors", "name the brand itself; remove it from the competitors");

        var queries = request.Queries ?? [];
        if (queries.Count > MaxQueries)
            Add("queries", $"has {queries.Count} entries; at most {MaxQueries}");
        else if (queries.Any(string.IsNullOrWhiteSpace))
            Add("queries", "has an empty entry; remove it");
        else if (queries.Any(q => q.Length > MaxQueryLength))
            Add("queries", $"has an entry longer than {MaxQueryLength} characters");
        if (request.QueryCount is < 1 or > MaxQueries)
            Add("queryCount", $"is {request.QueryCount}; use 1 to {MaxQueries}");
        if (queries.Count == 0 && request.QueryCount is null)
            Add("queries", "are missing; give queries, or queryCount to have them planned");

        var engines = request.Engines ?? [];
        if (engines.Count == 0)
            Add("engines", "are missing; name at least one configured engine, for example \"chatgpt\"");
        else if (engines.Count > MaxEngines)
            Add("engines", $"has {engines.Count} entries; at most {MaxEngines}");
        else if (engines.Any(string.IsNullOrWhiteSpace))
            Add("engines", "has an empty entry; remove it");
        else if (engines.Distinct(StringComparer.OrdinalIgnoreCase).Count() != engines.Count)
            Add("engines", "names an engine twice; ask it more often with runs");

        if (request.Runs is < 1 or > MaxRuns)
            Add("runs", $"is {request.Runs}; use 1 to {MaxRuns}");
        var calls = (long)Math.Max(queries.Count, request.QueryCount ?? 0) * Math.Max(engines.Count, 1) * Math.Max(request.Runs, 1);
        if (problems.Count == 0 && calls > MaxCalls)
            Add("queries", $"× engines × runs make {calls} calls; at most {MaxCalls}");

        if (!IsLocale(request.Locale))
            Add("locale", $"is '{Shown(request.Locale)}'; use a BCP 47 tag such as en-US");
        if (request.CeilingUsd <= 0)
            Add("ceilingUsd", $"is {request.CeilingUsd.ToString(CultureInfo.InvariantCulture)}; the most this audit may cost must be above 0");
        else if (request.CeilingUsd > 1_000_000)
            Add("ceilingUsd", "is above 1 000 000");
        if (request.TreeCeilingUsd is <= 0 or > 1_000_000)
            Add("treeCeilingUsd", "must be above 0 and at most 1 000 000, or left out");
        if (request.InDoubt is not (InDoubtPolicies.Keep or InDoubtPolicies.AskAgain))
            Add("inDoubt", $"is '{Shown(request.InDoubt)}'; use keep or askAgain");
        if (!(request.MinCoverage is >= 0 and <= 1))
            Add("minCoverage", "must be between 0 and 1");
        if (!(request.DeadlineMinutes is > 0 and <= 7 * 24 * 60))
            Add("deadlineMinutes", "must be above 0 and at most 10080 (a week)");
        if (request.ParentAuditId == request.AuditId)
            Add("parentAuditId", "is the audit's own id");

        return problems;
    }

    static void CheckName(string field, string? name, Action<string, string> add)
    {
        if (string.IsNullOrWhiteSpace(name))
            add(field, "is empty");
        else if (name.Length > MaxNameLength)
            add(field, $"is longer than {MaxNameLength} characters");
        else if (!name.Any(char.IsLetterOrDigit) && !name.EnumerateRunes().Any(System.Text.Rune.IsLetterOrDigit))
            add(field, "has neither a letter nor a digit, so it cannot be found in a text");
    }

    static void CheckAliases(string field, IReadOnlyList<string>? aliases, Action<string, string> add)
    {
        if (aliases is null)
            return;
        if (aliases.Count > MaxAliases)
            add(field, $"has {aliases.Count} entries; at most {MaxAliases}");
        else if (aliases.Any(a => string.IsNullOrWhiteSpace(a) || a.Length > MaxNameLength))
            add(field, $"has an empty entry or one longer than {MaxNameLength} characters");
    }

    static bool IsLocale(string? locale) =>
        locale is { Length: >= 2 and <= 35 } && locale.Split('-').All(part => part.Length is >= 1 and <= 8 && part.All(char.IsAsciiLetterOrDigit));

    static string Shown(string? text) => text is null ? "null" : text.Length <= 40 ? text : text[..40] + "…";
}
