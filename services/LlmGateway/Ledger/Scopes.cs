using System.Globalization;

namespace Assay.LlmGateway.Ledger;

/// <summary>Names of the rows of <c>spending</c>.</summary>
public static class Scopes
{
    public static string Audit(Guid auditId) => $"audit:{auditId:D}";
    public static string Tree(Guid trackingId) => $"tree:{trackingId:D}";
    public static string Day(string day) => $"day:{day}";

    /// <summary>The UTC day of a time, as <c>yyyy-MM-dd</c>.</summary>
    public static string DayOf(DateTime utc) => utc.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
