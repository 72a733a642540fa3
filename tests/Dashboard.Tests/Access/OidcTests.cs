using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Assay.Dashboard.Tests.Access;

/// <summary>A provider on a loopback port, with its metadata, keys and tokens.</summary>
public sealed class WhenAProviderSignsPeopleIn : IAsyncLifetime
{
    readonly RSA rsa = RSA.Create(2048);
    WebApplication? provider;
    DashboardHost? host;
    string issuer = "";

    RsaSecurityKey Key => new(rsa) { KeyId = "k1" };

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        provider = builder.Build();
        provider.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer, jwks_uri = issuer + "/keys" }));
        provider.MapGet("/keys", () =>
        {
            var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(rsa.ExportParameters(false)) { KeyId = "k1" });
            return Results.Json(new { keys = new[] { new { kty = key.Kty, kid = key.Kid, n = key.N, e = key.E, use = "sig" } } });
        });
        await provider.StartAsync();
        issuer = provider.Urls.Single();
        host = new DashboardHost
        {
            Settings = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Dashboard:Oidc:Authority"] = issuer, ["Dashboard:Oidc:Audience"] = "assay", ["Dashboard:Oidc:RoleClaim"] = "realm_access.roles", ["Dashboard:Oidc:Operator"] = "assay-admins",
            },
        };
        await host.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await host!.DisposeAsync();
        await provider!.DisposeAsync();
        rsa.Dispose();
    }

    [Fact]
    public async Task Should_let_a_token_act_with_the_role_its_claim_maps_to_and_name_it_in_the_trail()
    {
        using var client = Client(Token("assay-admins", "ada"));
        using var paused = await client.PostAsJsonAsync(new Uri("/api/engines/claude/pause", UriKind.Relative), new ReasonBody("signed in elsewhere"));
        paused.StatusCode.ShouldBe(HttpStatusCode.OK, await paused.Content.ReadAsStringAsync());
        await host!.EventuallyAsync(db => db.OperatorActions.AnyAsync(a => a.Who == "ada" && a.Action == "pause engine"), "ada is named");
    }

    [Fact]
    public async Task Should_refuse_what_its_role_does_not_permit()
    {
        using var viewer = Client(Token("viewer", "vic"));
        using var list = await viewer.GetAsync(new Uri("/api/audits", UriKind.Relative));
        list.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var refused = await viewer.PostAsJsonAsync(new Uri("/api/engines/claude/pause", UriKind.Relative), new ReasonBody("why not"));
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        using var stranger = Client(Token("something-else", "sam"));
        using var nothing = await stranger.GetAsync(new Uri("/api/audits", UriKind.Relative));
        nothing.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("audience")]
    [InlineData("issuer")]
    [InlineData("expired")]
    [InlineData("key")]
    [InlineData("none")]
    public async Task Should_refuse_a_token_with_a_wrong(string what)
    {
        using var other = RSA.Create(2048);
        var token = what switch
        {
            "audience" => Token("assay-admins", "eve", audience: "another"),
            "issuer" => Token("assay-admins", "eve", from: "http://127.0.0.1:1"),
            "expired" => Token("assay-admins", "eve", expires: DateTime.UtcNow.AddMinutes(-5)),
            "key" => Token("assay-admins", "eve", key: new RsaSecurityKey(other) { KeyId = "k1" }),
            _ => Unsigned(),
        };
        using var client = Client(token);
        using var refused = await client.GetAsync(new Uri("/api/audits", UriKind.Relative));
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task Should_still_take_keys_of_its_own()
    {
        using var program = await host!.ProgramAsync(Roles.Viewer);
        using var list = await program.GetAsync(new Uri("/api/audits", UriKind.Relative));
        list.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    string Token(string role, string name, string audience = "assay", string? from = null, DateTime? expires = null, SecurityKey? key = null) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = from ?? issuer, Audience = audience, NotBefore = DateTime.UtcNow.AddMinutes(-10), Expires = expires ?? DateTime.UtcNow.AddMinutes(5), SigningCredentials = new SigningCredentials(key ?? Key, SecurityAlgorithms.RsaSha256),
        Claims = new Dictionary<string, object>(StringComparer.Ordinal) { ["sub"] = "id-" + name, ["preferred_username"] = name, ["realm_access"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["roles"] = new[] { role } } },
    });

    string Unsigned()
    {
        static string Part(string json) => Base64UrlEncoder.Encode(json);
        return $"{Part("{\"alg\":\"none\",\"typ\":\"JWT\"}")}.{Part($"{{\"iss\":\"{issuer}\",\"aud\":\"assay\",\"sub\":\"eve\",\"exp\":4102444800,\"realm_access\":{{\"roles\":[\"assay-admins\"]}}}}")}.";
    }

    HttpClient Client(string token) => new() { BaseAddress = host!.Url, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
}

public sealed class WhenAClaimHoldsRoles
{
    [Theory]
    [InlineData("roles", "roles", "operator", Roles.Operator)]
    [InlineData("groups", "groups", "producer", Roles.Producer)]
    [InlineData("a.b", "a", """{"b":["viewer","operator"]}""", Roles.Operator)]
    [InlineData("a.b", "a", """{"b":"viewer"}""", Roles.Viewer)]
    [InlineData("a.b", "a", "no object", null)]
    [InlineData("roles", "roles", "other", null)]
    public void Should_map_to_the_highest_role_here(string path, string claim, string value, string? role) =>
        new OidcOptions { RoleClaim = path }.Map([new Claim(claim, value), new Claim("sub", "s")], "token").FindFirst(ClaimTypes.Role)?.Value.ShouldBe(role);
}
