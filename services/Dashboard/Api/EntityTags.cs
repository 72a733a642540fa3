using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Api;

/// <summary>
/// Entity tags: every projection of an audit raises its version, so that the version (and which build renders it) names what any of its
/// resources shows.
/// </summary>
static class EntityTags
{
    static readonly string Build = typeof(EntityTags).Module.ModuleVersionId.ToString("N")[..8];

    /// <summary>The tag of a resource of one audit, or null if there is no such audit.</summary>
    public static async Task<string?> OfAuditAsync(DashboardDbContext db, Guid auditId, string resource, CancellationToken cancellationToken) =>
        await db.Audits.AsNoTracking().Where(audit => audit.AuditId == auditId).Select(audit => (int?)audit.Version).SingleOrDefaultAsync(cancellationToken) is { } version
            ? Of(version, resource)
            : null;

    /// <summary>The tag of a resource of an audit that is at this version.</summary>
    public static string Of(int version, string resource) => string.Create(CultureInfo.InvariantCulture, $"W/\"{version}-{resource}-{Build}\"");

    /// <summary>The tag of what no version names: its content.</summary>
    public static string OfContent(object content) => $"W/\"{Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(content, content.GetType(), AssayJson.Options)).AsSpan(0, 12))}-{Build}\"";

    public static string OfList(Paged<AuditStatus> list)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{list.Page} {list.PageSize} {list.Total} {Build}");
        foreach (var audit in list.Items)
            text.Append(CultureInfo.InvariantCulture, $"\n{audit.AuditId} {audit.Version}");
        return $"W/\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 12))}\"";
    }

    /// <summary>Names the answer; true if the caller has it already, and 304 is all it needs.</summary>
    public static bool IsKnown(HttpContext context, string tag)
    {
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl = "private, no-cache";
        // Weak comparison, as If-None-Match asks for.
        return context.Request.Headers.IfNoneMatch.SelectMany(values => (values ?? "").Split(',', StringSplitOptions.TrimEntries)).Any(known => known == "*" || Opaque(known) == Opaque(tag));
    }

    public static IResult NotModified() => TypedResults.StatusCode(StatusCodes.Status304NotModified);

    static string Opaque(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
}

/// <summary>Gives every JSON answer to a GET that names none an entity tag of its content: it was read, but need not be sent again.</summary>
sealed class EntityTagFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = await next(context);
        var http = context.HttpContext;
        return HttpMethods.IsGet(http.Request.Method) && result is IValueHttpResult { Value: { } value } and IStatusCodeHttpResult { StatusCode: null or StatusCodes.Status200OK }
            && http.Response is { HasStarted: false, Headers.ETag.Count: 0 } && EntityTags.IsKnown(http, EntityTags.OfContent(value))
            ? EntityTags.NotModified()
            : result;
    }
}
