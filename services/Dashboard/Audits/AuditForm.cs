using System.Globalization;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;

namespace Assay.Dashboard.Audits;

/// <summary>The new-audit form: the words as typed, so that a refused form comes back as it was sent.</summary>
public sealed class AuditForm
{
    public Guid AuditId { get; set; } = Guid.CreateVersion7();
    public string Kind { get; set; } = AuditKinds.Brand;
    public string Brand { get; set; } = "";
    public string Domain { get; set; } = "";
    public string Aliases { get; set; } = "";
    public string Industry { get; set; } = "";
    public string Features { get; set; } = "";

    /// <summary>One competitor a line: <c>name | domain | alias, alias</c>.</summary>
    public string Competitors { get; set; } = "";

    /// <summary>One query a line; empty: <see cref="QueryCount"/> are planned.</summary>
    public string Queries { get; set; } = "";

    public string QueryCount { get; set; } = "20";
    public IReadOnlyList<string> Engines { get; set; } = [];
    public string Runs { get; set; } = "1";
    public string Locale { get; set; } = "en-US";
    public string CeilingUsd { get; set; } = "5";
    public string DeadlineMinutes { get; set; } = "30";
    public string MinCoverage { get; set; } = "0.8";
    public bool AskAgain { get; set; }
    public bool Control { get; set; }
    public bool AuditCompetitors { get; set; }
    public bool Force { get; set; }

    public static AuditForm From(IFormCollection form) => new()
    {
        // The id is made with the form: sending it twice is one audit.
        AuditId = Guid.TryParse(form["auditId"], out var id) && id != Guid.Empty ? id : Guid.CreateVersion7(),
        Kind = form["kind"].ToString(), Brand = form["brand"].ToString(), Domain = form["domain"].ToString(), Aliases = form["aliases"].ToString(),
        Industry = form["industry"].ToString(), Features = form["features"].ToString(), Competitors = form["competitors"].ToString(),
        Queries = form["queries"].ToString(), QueryCount = form["queryCount"].ToString(),
        // A box each, or, while the gateway is silent, one line with commas.
        Engines = [.. form["engines"].SelectMany(e => Commas(e ?? "")).Distinct(StringComparer.Ordinal)],
        Runs = form["runs"].ToString(), Locale = form["locale"].ToString(), CeilingUsd = form["ceilingUsd"].ToString(), DeadlineMinutes = form["deadlineMinutes"].ToString(),
        MinCoverage = form["minCoverage"].ToString(), AskAgain = form["askAgain"].Count > 0, Control = form["control"].Count > 0,
        AuditCompetitors = form["auditCompetitors"].Count > 0, Force = form["force"].Count > 0,
    };

    /// <summary>The same audit again, as a new one.</summary>
    public static AuditForm Like(RequestAudit request) => new()
    {
        Kind = request.Kind, Brand = request.Brand.Name, Domain = request.Brand.Domain ?? "", Aliases = string.Join(", ", request.Brand.Aliases ?? []),
        Industry = request.Brand.Industry ?? "", Features = string.Join(", ", request.Brand.Features ?? []),
        Competitors = Written(request.Competitors ?? []),
        Queries = string.Join('\n', request.Queries ?? []), QueryCount = request.QueryCount?.ToString(CultureInfo.InvariantCulture) ?? "20", Engines = request.Engines,
        Runs = request.Runs.ToString(CultureInfo.InvariantCulture), Locale = request.Locale, CeilingUsd = request.CeilingUsd.ToString(CultureInfo.InvariantCulture),
        DeadlineMinutes = request.DeadlineMinutes.ToString(CultureInfo.InvariantCulture), MinCoverage = request.MinCoverage.ToString(CultureInfo.InvariantCulture),
        AskAgain = request.InDoubt == InDoubtPolicies.AskAgain, Control = request.Control, AuditCompetitors = request.AuditCompetitors,
    };

    /// <summary>The request, and what is wrong with what was typed. A number that is none counts as missing and is named.</summary>
    public (RequestAudit Request, IReadOnlyList<RequestProblem> Problems) Read(string requestedBy)
    {
        List<RequestProblem> problems = [];
        T Number<T>(string field, string text, T instead) where T : IParsable<T>
        {
            if (T.TryParse(text.Trim().Replace(',', '.'), CultureInfo.InvariantCulture, out var value))
                return value;
            problems.Add(new RequestProblem(field, $"is '{(text.Length > 20 ? text[..20] + "…" : text)}'; write a number"));
            return instead;
        }

        var queries = Lines(Queries);
        var request = new RequestAudit
        {
            AuditId = AuditId,
            Kind = Kind,
            Brand = new Brand
            {
                Name = Brand.Trim(), Domain = OrNull(Domain), Aliases = Commas(Aliases), Industry = OrNull(Industry), Features = Commas(Features),
            },
            Competitors = [.. Lines(Competitors).Select(ReadCompetitor)],
            Queries = queries.Count > 0 ? queries : null,
            QueryCount = queries.Count > 0 ? null : Number<int>("queryCount", QueryCount, 20),
            Engines = Engines,
            Runs = Number("runs", Runs, 1),
            Locale = Locale.Trim(),
            CeilingUsd = Number("ceilingUsd", CeilingUsd, 1m),
            DeadlineMinutes = Number("deadlineMinutes", DeadlineMinutes, 30d),
            MinCoverage = Number("minCoverage", MinCoverage, 0.8),
            InDoubt = AskAgain ? InDoubtPolicies.AskAgain : InDoubtPolicies.Keep,
            Control = Control,
            AuditCompetitors = AuditCompetitors,
            Force = Force,
            RequestedBy = requestedBy,
        };
        problems.AddRange(AuditRequestRules.Check(request));
        return (request, problems);
    }

    /// <summary>Competitors as a person writes them: one a line.</summary>
    internal static string Written(IEnumerable<Competitor> competitors) =>
        string.Join('\n', competitors.Select(c => $"{c.Name} | {c.Domain} | {string.Join(", ", c.Aliases ?? [])}".TrimEnd(' ', '|')));

    internal static Competitor ReadCompetitor(string line)
    {
        var parts = line.Split('|', StringSplitOptions.TrimEntries);
        return new Competitor { Name = parts[0], Domain = parts.Length > 1 ? OrNull(parts[1]) : null, Aliases = parts.Length > 2 ? Commas(parts[2]) : [] };
    }

    internal static List<string> Lines(string text) => [.. text.Split(['\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    internal static List<string> Commas(string text) => [.. text.Split([',', '\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    internal static string? OrNull(string text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
