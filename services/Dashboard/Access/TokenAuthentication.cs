using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Assay.Dashboard.Access;

/// <summary>What the provider publishes about itself: read at the first token, kept, and read again when a token names a key it does not know.</summary>
sealed class TokenIssuer(OidcOptions options)
{
    readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };

    readonly TokenValidationParameters parameters = new()
    {
        ValidAudience = options.Audience,
        // The signature algorithm is the provider's asymmetric one, never what a token says about itself.
        ValidAlgorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384],
        ClockSkew = TimeSpan.FromMinutes(1),
        ConfigurationManager = new ConfigurationManager<OpenIdConnectConfiguration>(options.Authority!.TrimEnd('/') + "/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever(new HttpClient { Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = 1024 * 1024 }) { RequireHttps = !new Uri(options.Authority).IsLoopback }),
    };

    public OidcOptions Options => options;

    public Task<TokenValidationResult> ValidateAsync(string token) => handler.ValidateTokenAsync(token, parameters);
}

/// <summary><c>Authorization: Bearer</c> tokens of an OpenID Connect provider.</summary>
sealed class TokenAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, TokenIssuer issuer)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "token";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var result = await issuer.ValidateAsync(Request.Headers.Authorization.ToString()["Bearer ".Length..]);
        return result.IsValid
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(issuer.Options.Map([.. result.ClaimsIdentity.Claims], SchemeName)), SchemeName))
            : AuthenticateResult.Fail(result.Exception ?? new SecurityTokenException("The token is not valid."));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failure = (await HandleAuthenticateOnceSafeAsync()).Failure;
        await Callers.RefuseAsync(Context, StatusCodes.Status401Unauthorized, "Not signed in",
            $"The token was not accepted{(failure is null ? "" : $" ({failure.GetType().Name})")}: it must be a valid one of {issuer.Options.Authority} for the audience {issuer.Options.Audience}.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Callers.RefuseAsync(Context, StatusCodes.Status403Forbidden, "Not permitted",
        $"'{Context.User.Identity?.Name}' may not do this: no role in the token's claim '{issuer.Options.RoleClaim}' permits it.");
}
