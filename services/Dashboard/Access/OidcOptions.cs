using System.Security.Claims;
using System.Text.Json;

namespace Assay.Dashboard.Access;

/// <summary>An OpenID Connect provider whose bearer tokens the API takes (section <c>Dashboard:Oidc</c>); off while <see cref="Authority"/> is empty.</summary>
public sealed class OidcOptions
{
    /// <summary>The issuer's address; its metadata and keys are read from there.</summary>
    public string? Authority { get; set; }

    /// <summary>Who a token must be for.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim that holds roles; dots lead into a claim that is a JSON object, for example <c>realm_access.roles</c>.</summary>
    public string RoleClaim { get; set; } = "roles";

    /// <summary>The claim that names who acts, in lists and in the audit trail; <c>sub</c> where a token lacks it.</summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The provider's role that is a viewer here.</summary>
    public string Viewer { get; set; } = Roles.Viewer;

    /// <summary>The provider's role that is a producer here.</summary>
    public string Producer { get; set; } = Roles.Producer;

    /// <summary>The provider's role that is an operator here.</summary>
    public string Operator { get; set; } = Roles.Operator;

    internal bool IsOn => Authority is { Length: > 0 };

    /// <summary>What is wrong with the settings, or null.</summary>
    internal string? Problem => !IsOn ? null
        : string.IsNullOrWhiteSpace(Audience) ? "audience"
        : Uri.TryCreate(Authority, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) ? null
        : "authority";

    /// <summary>Who a validated token stands for here: the highest role it maps to, or none.</summary>
    internal ClaimsIdentity Map(IReadOnlyCollection<Claim> claims, string scheme)
    {
        var theirs = RolesOf(claims).ToHashSet(StringComparer.Ordinal);
        var role = theirs.Contains(Operator) ? Roles.Operator : theirs.Contains(Producer) ? Roles.Producer : theirs.Contains(Viewer) ? Roles.Viewer : null;
        var name = claims.FirstOrDefault(claim => claim.Type == NameClaim)?.Value ?? claims.FirstOrDefault(claim => claim.Type == "sub")?.Value ?? "unnamed";
        return new ClaimsIdentity([new Claim(ClaimTypes.Name, name.Length > 100 ? name[..100] : name), .. role is null ? Array.Empty<Claim>() : [new Claim(ClaimTypes.Role, role)]], scheme);
    }

    IEnumerable<string> RolesOf(IReadOnlyCollection<Claim> claims)
    {
        var path = RoleClaim.Split('.');
        foreach (var claim in claims)
            if (claim.Type == RoleClaim)
                yield return claim.Value;
            else if (path.Length > 1 && claim.Type == path[0])
                foreach (var role in Inside(claim.Value, path.AsMemory(1)))
                    yield return role;
    }

    static List<string> Inside(string json, ReadOnlyMemory<string> path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var at = document.RootElement;
            foreach (var part in path.Span)
                if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(part, out at))
                    return [];
            return at.ValueKind == JsonValueKind.Array ? [.. at.EnumerateArray().Where(role => role.ValueKind == JsonValueKind.String).Select(role => role.GetString()!)]
                : at.ValueKind == JsonValueKind.String ? [at.GetString()!] : [];
        }
        catch (JsonException)
        {
            // A claim that is no object holds no roles inside.
            return [];
        }
    }
}
