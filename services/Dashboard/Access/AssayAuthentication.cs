using System.Security.Claims;
using System.Text.Encodings.Web;
using Assay.Dashboard.Api;
using Assay.Dashboard.Pages;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Assay.Dashboard.Access;

/// <summary><c>Authorization: Bearer</c> keys for programs.</summary>
sealed class KeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "key";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return AuthenticateResult.NoResult();
        var caller = await Context.RequestServices.GetRequiredService<SignIn>().KeyAsync(header["Bearer ".Length..], Context.RequestAborted);
        return caller is null
            ? AuthenticateResult.Fail("The key is unknown or revoked.")
            : AuthenticateResult.Success(Callers.Ticket(caller, SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Callers.RefuseAsync(Context, StatusCodes.Status401Unauthorized,
        "Not signed in", "This needs a key: send it as 'Authorization: Bearer <key>'. An operator makes one with `assay key create --role viewer --name you`.");

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Callers.RefuseAsync(Context, StatusCodes.Status403Forbidden,
        "Not permitted", $"The role of '{Context.User.Identity?.Name}' does not permit this; use a key of another role.");
}

/// <summary>The session cookie of a signed-in person.</summary>
sealed class SessionAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "session";
    public const string CookieName = "assay_session";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Cookies[CookieName] is not { Length: > 0 } token)
            return AuthenticateResult.NoResult();
        var caller = await Context.RequestServices.GetRequiredService<SignIn>().SessionAsync(token, Context.RequestAborted);
        return caller is null ? AuthenticateResult.NoResult() : AuthenticateResult.Success(Callers.Ticket(caller, SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) || Request.Path.StartsWithSegments("/openapi", StringComparison.OrdinalIgnoreCase))
            return Callers.RefuseAsync(Context, StatusCodes.Status401Unauthorized, "Not signed in",
                "This needs a key: send it as 'Authorization: Bearer <key>'. An operator makes one with `assay key create --role viewer --name you`.");
        if (Request.Headers.ContainsKey("HX-Request"))
        {
            // htmx would swap the login page into the fragment's place.
            Response.StatusCode = StatusCodes.Status401Unauthorized;
            Response.Headers["HX-Redirect"] = "/login";
            return Task.CompletedTask;
        }

        var back = HttpMethods.IsGet(Request.Method) ? Request.Path + Request.QueryString : "/";
        Response.Redirect("/login?returnTo=" + Uri.EscapeDataString(back));
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Callers.RefuseAsync(Context, StatusCodes.Status403Forbidden,
        "Not permitted", $"'{Context.User.Identity?.Name}' may not do this; sign in with a key of another role.");

    public static void SetCookie(HttpContext context, string token) => context.Response.Cookies.Append(CookieName, token, new CookieOptions
    {
        // Lax, not Strict: the login link is opened from a terminal or mail, and its redirect must carry the cookie.
        HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, Path = "/", MaxAge = SignIn.SessionLife, IsEssential = true,
    });

    public static void ClearCookie(HttpContext context) => context.Response.Cookies.Delete(CookieName, new CookieOptions { Path = "/" });
}

static class Callers
{
    const string EitherScheme = "keyOrSession";
    const string BearerScheme = "bearer";

    public static AuthenticationTicket Ticket(Caller caller, string scheme)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, caller.Name), new Claim(ClaimTypes.Role, caller.Role)], scheme);
        return new AuthenticationTicket(new ClaimsPrincipal(identity), scheme);
    }

    /// <summary>A signed token has three parts and begins with a JSON header; a key has neither.</summary>
    static bool LooksLikeToken(string header) => header.StartsWith("Bearer eyJ", StringComparison.OrdinalIgnoreCase) && header.Count(c => c == '.') == 2;

    public static string NameOf(HttpContext context) => context.User.Identity?.Name ?? "unknown";

    public static Task RefuseAsync(HttpContext context, int status, string title, string detail)
    {
        if (status == StatusCodes.Status403Forbidden && PageErrors.Wants(context))
            return PageEndpoints.Message(title, detail, status, "/", "To the audits").ExecuteAsync(context);
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        return TypedResults.Problem(statusCode: status, title: title, detail: detail).ExecuteAsync(context);
    }

    public static void AddAssayAccess(this IServiceCollection services, OidcOptions oidc)
    {
        services.AddScoped<SignIn>();
        services.AddSingleton<KeyStore>();
        services.AddSingleton<IKeyStore>(provider => provider.GetRequiredService<KeyStore>());
        services.AddSingleton<ILoginLinks>(provider => provider.GetRequiredService<KeyStore>());
        var authentication = services.AddAuthentication(EitherScheme)
            // One scheme decides: two would both answer a refusal.
            .AddPolicyScheme(EitherScheme, null, either => either.ForwardDefaultSelector = context =>
                context.Request.Headers.Authorization.Count > 0 ? BearerScheme : SessionAuthentication.SchemeName)
            .AddPolicyScheme(BearerScheme, null, bearer => bearer.ForwardDefaultSelector = context =>
                oidc.IsOn && LooksLikeToken(context.Request.Headers.Authorization.ToString()) ? TokenAuthentication.SchemeName : KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, SessionAuthentication>(SessionAuthentication.SchemeName, null);
        if (oidc.IsOn)
        {
            services.AddSingleton(new TokenIssuer(oidc));
            authentication.AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.SchemeName, null);
        }

        services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Read, policy => policy.AddAuthenticationSchemes(EitherScheme).RequireRole(Roles.All))
            .AddPolicy(Policies.Produce, policy => policy.AddAuthenticationSchemes(SessionAuthentication.SchemeName).RequireRole(Roles.Producer, Roles.Operator))
            .AddPolicy(Policies.Operate, policy => policy.AddAuthenticationSchemes(SessionAuthentication.SchemeName).RequireRole(Roles.Operator))
            .AddPolicy(Policies.ProduceByKey, policy => policy.AddAuthenticationSchemes(BearerScheme).RequireRole(Roles.Producer, Roles.Operator))
            .AddPolicy(Policies.OperateByKey, policy => policy.AddAuthenticationSchemes(BearerScheme).RequireRole(Roles.Operator))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder(EitherScheme).RequireRole(Roles.All).Build());
    }
}
