using System.Net;
using System.Text.RegularExpressions;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Assay.ServiceDefaults;

namespace Assay.Dashboard.Tests.Access;

/// <summary>Whatever is answered, no browser runs or loads what is not ours.</summary>
public sealed partial class EveryAnswer : IAsyncLifetime
{
    const string Pages = "script-src 'self'";
    const string Reports = "sandbox";

    /// <summary>Asking what faulted is a bug here: a page and an operation that end with an exception.</summary>
    sealed class Broken : IFaultedMessages
    {
        public string? Unavailable => null;

        public Task<IReadOnlyList<FaultedQueue>> LookAsync(IReadOnlyCollection<string> endpoints, CancellationToken cancellationToken) => throw new InvalidOperationException("a bug");

        public Task<int> SendAgainAsync(string queue, Func<FaultedMessage, bool> which, CancellationToken cancellationToken) => throw new InvalidOperationException("a bug");

        public Task<int> DropExpiredRequestsAsync(CancellationToken cancellationToken) => Task.FromResult(0);
    }

    readonly DashboardHost host = new() { Faulted = new Broken(), Settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Dashboard:SignInsPerMinute"] = "10" } };

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Should_carry_its_content_security_policy()
    {
        var id = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync();
        using var program = await host.ProgramAsync(Roles.Operator);
        using var viewer = await host.PersonAsync(Roles.Viewer);
        using var stranger = host.Stranger();
        var token = APage.TokenField().Match(await person.GetStringAsync(new Uri($"/audits/{id}/share", UriKind.Relative))).Groups["value"].Value;
        using var made = await person.PostAsync(new Uri($"/audits/{id}/share", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("reason", "client")]));
        var shared = System.Text.RegularExpressions.Regex.Match(await made.Content.ReadAsStringAsync(), "/shared/[A-Za-z0-9_-]{43}", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
        (string What, HttpClient Who, string Path, HttpStatusCode Status, string Policy)[] answers =
        [
            ("a page", person, $"/audits/{id}", HttpStatusCode.OK, Pages),
            ("a fragment", person, "/audits/rows", HttpStatusCode.OK, Pages),
            ("sign-in", stranger, "/login", HttpStatusCode.OK, Pages),
            ("a redirect", stranger, "/", HttpStatusCode.Redirect, Pages),
            ("an asset", stranger, "/app.css", HttpStatusCode.OK, Pages),
            ("a library", stranger, "/lib/htmx.min.js", HttpStatusCode.OK, Pages),
            ("the report's page", person, $"/audits/{id}/report", HttpStatusCode.OK, Reports),
            ("a shared report", stranger, shared, HttpStatusCode.OK, Reports),
            ("a link that leads nowhere", stranger, "/shared/nothing", HttpStatusCode.NotFound, Pages),
            ("no such page", person, "/no-such-page", HttpStatusCode.NotFound, Pages),
            ("no such audit", person, $"/audits/{Guid.CreateVersion7()}", HttpStatusCode.NotFound, Pages),
            ("a parameter that is none", person, "/?page=many", HttpStatusCode.BadRequest, Pages),
            ("a role that may not", viewer, "/spending/stop", HttpStatusCode.Forbidden, Pages),
            ("a page that is broken", person, "/operations/messages", HttpStatusCode.InternalServerError, Pages),
            ("an operation that is broken", program, "/api/operations/messages", HttpStatusCode.InternalServerError, Pages),
            ("a download as JSON", person, $"/api/audits/{id}/report?format=json", HttpStatusCode.OK, Pages),
            ("a download as CSV", person, $"/api/audits/{id}/report?format=csv", HttpStatusCode.OK, Pages),
            ("a download as HTML", person, $"/api/audits/{id}/report?format=html", HttpStatusCode.OK, Reports),
            ("a stream", person, $"/api/audits/{id}/events", HttpStatusCode.OK, Pages),
            ("the list's stream", person, "/audits/events", HttpStatusCode.OK, Pages),
            ("JSON", program, "/api/audits", HttpStatusCode.OK, Pages),
            ("no such operation", program, "/api/nothing", HttpStatusCode.NotFound, Pages),
            ("no key", stranger, "/api/audits", HttpStatusCode.Unauthorized, Pages),
            ("the document", program, "/openapi/v1.json", HttpStatusCode.OK, Pages),
            ("health", stranger, "/health/live", HttpStatusCode.OK, Pages),
        ];
        foreach (var (what, who, path, status, policy) in answers)
        {
            using var response = await who.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            response.StatusCode.ShouldBe(status, what);
            ShouldBeProtected(response, what, policy);
        }

        using var formless = await person.PostAsync(new Uri("/spending/stop", UriKind.Relative), new FormUrlEncodedContent([new("reason", "forged")]));
        formless.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        ShouldBeProtected(formless, "a form without its token", Pages);
        using var unmodified = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/audits/{id}", UriKind.Relative)) { Headers = { { "If-None-Match", "*" } } };
        using var known = await program.SendAsync(unmodified);
        known.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        ShouldBeProtected(known, "not modified", Pages);

        // More tries than the ten that a minute has.
        for (var tries = 0; tries < 10; tries++)
            (await stranger.GetAsync(new Uri("/login?token=guessed", UriKind.Relative))).Dispose();
        using var held = await stranger.GetAsync(new Uri("/login?token=guessed", UriKind.Relative));
        held.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        held.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromMinutes(1));
        ShouldBeProtected(held, "too many attempts", Pages);
    }

    [Theory]
    [InlineData("/no-such-page", HttpStatusCode.NotFound, "No such page")]
    [InlineData("/?page=many", HttpStatusCode.BadRequest, "Not understood")]
    [InlineData("/operations/messages", HttpStatusCode.InternalServerError, "Something went wrong")]
    public async Task Should_be_a_page_where_a_person_looks(string path, HttpStatusCode status, string title)
    {
        using var person = await host.PersonAsync();
        using var response = await person.GetAsync(new Uri(path, UriKind.Relative));
        response.StatusCode.ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        (await response.Content.ReadAsStringAsync()).ShouldContain($"<h1>{title}</h1>");
    }

    [Fact]
    public async Task Should_name_a_trace_that_the_log_knows_with_its_cause()
    {
        using var person = await host.PersonAsync();
        var page = await (await person.GetAsync(new Uri("/operations/messages", UriKind.Relative))).Content.ReadAsStringAsync();
        var traceId = TraceId().Match(page).Groups["id"].Value;
        traceId.Length.ShouldBe(32);
        host.Log.Lines.ShouldContain(line => line.Contains(traceId, StringComparison.Ordinal) && line.Contains("InvalidOperationException: a bug", StringComparison.Ordinal));
    }

    [GeneratedRegex("trace id: (?<id>[0-9a-f]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TraceId();

    [Fact]
    public async Task Should_say_on_a_page_that_a_role_may_not()
    {
        using var viewer = await host.PersonAsync(Roles.Viewer);
        using var response = await viewer.GetAsync(new Uri("/settings", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsStringAsync()).ShouldContain("<h1>Not permitted</h1>");
    }

    static void ShouldBeProtected(HttpResponseMessage response, string what, string policy)
    {
        response.Headers.TryGetValues("Content-Security-Policy", out var policies).ShouldBeTrue(what);
        var told = policies!.ShouldHaveSingleItem(what);
        told.ShouldStartWith("default-src 'none'", Case.Sensitive, what);
        told.ShouldContain(policy, Case.Sensitive, what);
        told.Replace("style-src 'unsafe-inline'", "", StringComparison.Ordinal).ShouldNotContain("unsafe", Case.Sensitive, what);
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"], what);
        response.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"], what);
    }
}
