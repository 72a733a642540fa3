using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Audits;

namespace Assay.Dashboard.Rederive;

/// <summary>The names to read an audit under, as typed.</summary>
public sealed class RederiveForm
{
    public string Brand { get; set; } = "";
    public string Domain { get; set; } = "";
    public string Aliases { get; set; } = "";
    public string Features { get; set; } = "";

    /// <summary>One competitor a line: <c>name | domain | alias, alias</c>.</summary>
    public string Competitors { get; set; } = "";

    public string MetricsVersion { get; set; } = MetricsVersions.Newest;

    /// <summary>The audit's own names, to change what should be otherwise.</summary>
    public static RederiveForm Of(RequestAudit request) => new()
    {
        Brand = request.Brand.Name, Domain = request.Brand.Domain ?? "", Aliases = string.Join(", ", request.Brand.Aliases ?? []), Features = string.Join(", ", request.Brand.Features ?? []),
        Competitors = AuditForm.Written(request.Competitors ?? []),
    };

    public static RederiveForm From(IFormCollection form) => new()
    {
        Brand = form["brand"].ToString(), Domain = form["domain"].ToString(), Aliases = form["aliases"].ToString(), Features = form["features"].ToString(),
        Competitors = form["competitors"].ToString(), MetricsVersion = form["metricsVersion"].ToString() is { Length: > 0 } version ? version : MetricsVersions.Newest,
    };

    internal RederiveBody Read(RequestAudit request) => new(
        request.Brand with
        {
            Name = Brand.Trim(), Domain = AuditForm.OrNull(Domain), Aliases = AuditForm.Commas(Aliases), Features = AuditForm.Commas(Features),
        },
        [.. AuditForm.Lines(Competitors).Select(AuditForm.ReadCompetitor)],
        MetricsVersion);
}
