using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Antiforgery;

namespace Assay.Dashboard.Access;

/// <summary>
/// Antiforgery bound to the session itself: the form's token is an HMAC keyed with the session cookie's secret. No server keys to store or
/// share, so forms survive restarts and several instances. A page that is not signed in (login) binds to nothing: its form opens a session
/// for whoever holds the key, which a foreign page does not.
/// </summary>
sealed class SessionAntiforgery : IAntiforgery
{
    public const string FieldName = "__RequestVerificationToken";
    const string HeaderName = "X-Antiforgery";

    public AntiforgeryTokenSet GetAndStoreTokens(HttpContext httpContext) => GetTokens(httpContext);

    public AntiforgeryTokenSet GetTokens(HttpContext httpContext) => new(TokenFor(httpContext), null, FieldName, HeaderName);

    public async Task<bool> IsRequestValidAsync(HttpContext httpContext)
    {
        if (HttpMethods.IsGet(httpContext.Request.Method) || HttpMethods.IsHead(httpContext.Request.Method))
            return true;
        var given = httpContext.Request.Headers[HeaderName].ToString();
        if (given.Length == 0 && httpContext.Request.HasFormContentType)
            given = (await httpContext.Request.ReadFormAsync(httpContext.RequestAborted))[FieldName].ToString();
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(TokenFor(httpContext)));
    }

    public async Task ValidateRequestAsync(HttpContext httpContext)
    {
        if (!await IsRequestValidAsync(httpContext))
            throw new AntiforgeryValidationException("The form's token does not belong to this session. Reload the page and send the form again.");
    }

    public void SetCookieTokenAndHeader(HttpContext httpContext)
    {
    }

    public static string TokenFor(HttpContext httpContext)
    {
        var session = httpContext.Request.Cookies[SessionAuthentication.CookieName] ?? "";
        return Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes("assay antiforgery " + session), Encoding.UTF8.GetBytes(session)));
    }
}
