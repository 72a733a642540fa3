using System.Net;
using System.Text.RegularExpressions;
using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Api;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Dashboard.Tests.Hosting;

[Collection(nameof(OneHost))]
public sealed partial class APage(DashboardHost host)
{
    [Theory]
    [InlineData("/")]
    [InlineData("/audits/new")]
    [InlineData("/spending")]
    [InlineData("/spending/stop")]
    [InlineData("/operations")]
    [InlineData("/metrics-explained")]
    public async Task Should_open_for_an_operator(string path)
    {
        using var person = await host.PersonAsync();
        using var response = await person.GetAsync(new Uri(path, UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldStartWith("<!doctype html>");
        html.ShouldEndWith("</html>");
        InlineScript().IsMatch(html).ShouldBeFalse("no inline script");
        html.ShouldNotContain(" style=\"", Case.Sensitive);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("script-src 'self'");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/spending")]
    [InlineData("/audits/00000000-0000-7000-8000-000000000000")]
    [InlineData("/no-such-page")]
    public async Task Should_send_a_stranger_to_sign_in(string path)
    {
        using var stranger = host.Stranger();
        using var response = await stranger.GetAsync(new Uri(path, UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        response.Headers.Location!.ToString().ShouldStartWith("/login");
    }

    [Theory]
    [InlineData("/lib/htmx.min.js", 40_000)]
    [InlineData("/lib/sse.js", 5_000)]
    [InlineData("/lib/echarts.min.js", 500_000)]
    [InlineData("/charts.js", 3_000)]
    [InlineData("/app.css", 5_000)]
    public async Task Should_bring_its_parts_itself(string path, int least)
    {
        using var stranger = host.Stranger();
        (await stranger.GetByteArrayAsync(new Uri(path, UriKind.Relative))).Length.ShouldBeGreaterThan(least);
    }

    [Fact]
    public async Task Should_say_that_an_audit_is_not_there()
    {
        using var person = await host.PersonAsync();
        using var response = await person.GetAsync(new Uri($"/audits/{Guid.CreateVersion7()}", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Should_show_numbers_and_lead_to_the_highlighted_answer()
    {
        var id = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync(Roles.Viewer);
        var page = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));
        page.ShouldContain("62 %");
        page.ShouldContain("simulated");
        page.ShouldContain($"/audits/{id}/answers?engine=chatgpt");
        var list = await person.GetStringAsync(new Uri($"/audits/{id}/answers?engine=chatgpt", UriKind.Relative));
        list.ShouldContain("key-chatgpt-q001");
        var answer = await person.GetStringAsync(new Uri($"/audits/{id}/answers/key-chatgpt-q001", UriKind.Relative));
        answer.ShouldContain(">Anker</mark>");
    }

    [Fact]
    public async Task Should_refuse_a_form_without_its_token()
    {
        using var person = await host.PersonAsync();
        using var response = await person.PostAsync(new Uri("/spending/stop", UriKind.Relative), new FormUrlEncodedContent([new("reason", "forged")]));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Should_start_an_audit_from_the_form()
    {
        using var person = await host.PersonAsync();
        var form = await person.GetStringAsync(new Uri("/audits/new", UriKind.Relative));
        var id = AuditIdField().Match(form).Groups["value"].Value;
        using var response = await person.PostAsync(new Uri("/audits/new", UriKind.Relative), new FormUrlEncodedContent(
        [
            new("__RequestVerificationToken", TokenField().Match(form).Groups["value"].Value), new("auditId", id), new("kind", "brand"), new("brand", "Anker"), new("queries", "best earbuds"),
            new("engines", "chatgpt"), new("runs", "1"), new("locale", "en-US"), new("ceilingUsd", "5"), new("deadlineMinutes", "30"), new("minCoverage", "0.8"), new("queryCount", "20"),
        ]));
        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        response.Headers.Location!.ToString().ShouldBe($"/audits/{id}");
    }

    [Fact]
    public async Task Should_say_what_is_wrong_with_the_form_and_keep_its_words()
    {
        using var person = await host.PersonAsync();
        var form = await person.GetStringAsync(new Uri("/audits/new", UriKind.Relative));
        using var response = await person.PostAsync(new Uri("/audits/new", UriKind.Relative), new FormUrlEncodedContent(
            [new("__RequestVerificationToken", TokenField().Match(form).Groups["value"].Value), new("brand", "Kept words"), new("ceilingUsd", "much"), new("kind", "brand"), new("locale", "en-US")]));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldContain("Kept words");
        html.ShouldContain("ceilingUsd");
        html.ShouldContain("engines");
    }

    [Fact]
    public async Task Should_stop_all_spending_in_two_steps()
    {
        using var person = await host.PersonAsync();
        var confirm = await person.GetStringAsync(new Uri("/spending/stop", UriKind.Relative));
        using var response = await person.PostAsync(new Uri("/spending/stop", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", TokenField().Match(confirm).Groups["value"].Value), new("reason", "a test of the stop")]));
        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        host.Neighbours.Halted.ShouldBeTrue();
        host.Neighbours.Halted = false;
        (await person.GetStringAsync(new Uri("/operations", UriKind.Relative))).ShouldContain("a test of the stop");
    }

    [Fact]
    public async Task Should_not_let_a_viewer_stop_spending()
    {
        using var person = await host.PersonAsync(Roles.Viewer);
        using var response = await person.GetAsync(new Uri("/spending/stop", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Should_show_hostile_words_as_text()
    {
        const string Hostile = "<script>alert(1)</script>\u202Eevil\" onload=x";
        var id = await host.CompletedAuditAsync(Hostile, text: _ => "Anker <img src=x onerror=alert(1)> \u202E reversed");
        using var person = await host.PersonAsync();
        foreach (var path in new[] { $"/audits/{id}", "/", $"/audits/{id}/answers/key-chatgpt-q001", $"/audits/{id}/report", $"/audits/{id}/answers" })
        {
            var html = await person.GetStringAsync(new Uri(path, UriKind.Relative));
            html.ShouldNotContain("<script>alert", Case.Sensitive);
            html.ShouldNotContain("<img src=x", Case.Sensitive);
            html.ShouldNotContain('\u202E'.ToString());
        }

        using var program = await host.ProgramAsync(Roles.Viewer);
        (await program.GetStringAsync(new Uri($"/api/audits/{id}/report?format=html", UriKind.Relative))).ShouldNotContain("<script>", Case.Sensitive);
        var csv = await program.GetStringAsync(new Uri($"/api/audits/{id}/report?format=csv", UriKind.Relative));
        csv.ShouldNotContain('\u202E'.ToString());
        csv.ShouldContain("<script>alert(1)</script>⟨U+202E⟩evil\"\" onload=x");
        // Data for programs: to the letter, but served as JSON that no browser takes for a page.
        using var json = await program.GetAsync(new Uri($"/api/audits/{id}/report?format=json", UriKind.Relative));
        json.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        json.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        System.Text.Json.JsonDocument.Parse(await json.Content.ReadAsStringAsync()).RootElement.GetProperty("brand").GetProperty("name").GetString().ShouldBe(Hostile);
    }

    [Fact]
    public async Task Should_not_let_a_brand_be_a_formula_in_a_spreadsheet()
    {
        var id = await host.CompletedAuditAsync("=HYPERLINK(\"http://evil.example\")", text: _ => "@SUM(A1) Anker");
        using var program = await host.ProgramAsync(Roles.Viewer);
        var csv = await program.GetStringAsync(new Uri($"/api/audits/{id}/report?format=csv", UriKind.Relative));
        csv.ShouldContain("\"'=HYPERLINK(\"\"http://evil.example\"\")\"");
        csv.ShouldContain("\"'@SUM(A1) Anker\"");
        csv.ShouldNotContain("\"=", Case.Sensitive);
    }

    [Fact]
    public async Task Should_write_a_report_that_asks_for_nothing()
    {
        var id = await host.CompletedAuditAsync();
        using var program = await host.ProgramAsync(Roles.Viewer);
        var html = await program.GetStringAsync(new Uri($"/api/audits/{id}/report?format=html", UriKind.Relative));
        html.ShouldNotContain("<script", Case.Insensitive);
        html.ShouldNotContain("<link", Case.Insensitive);
        html.ShouldNotContain("src=\"http", Case.Insensitive);
        html.ShouldNotContain("url(", Case.Insensitive);
        html.ShouldContain("<mark");
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"(?<value>[0-9a-f]+)\"", RegexOptions.ExplicitCapture, 1000)]
    internal static partial Regex TokenField();

    [GeneratedRegex("name=\"auditId\" value=\"(?<value>[0-9a-f-]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AuditIdField();

    [GeneratedRegex("<script(?![^>]* src=)|<style| on[a-z]+=", RegexOptions.IgnoreCase, 1000)]
    private static partial Regex InlineScript();
}

[Collection(nameof(OneHost))]
public sealed class SigningIn(DashboardHost host)
{
    [Fact]
    public async Task Should_work_once_by_a_link()
    {
        var link = new Uri(await host.Services.GetRequiredService<ILoginLinks>().CreateAsync(), UriKind.Relative);
        using var first = host.Stranger();
        using var opened = await first.GetAsync(link);
        opened.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        using var second = host.Stranger();
        using var refused = await second.GetAsync(link);
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Should_end_when_the_key_is_revoked()
    {
        var keys = host.Services.GetRequiredService<IKeyStore>();
        var key = await keys.CreateKeyAsync(Roles.Viewer, "to be revoked");
        using var person = host.Stranger();
        var form = await person.GetStringAsync(new Uri("/login", UriKind.Relative));
        using var signedIn = await person.PostAsync(new Uri("/login", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", APage.TokenField().Match(form).Groups["value"].Value), new("key", key.Secret)]));
        signedIn.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await keys.RevokeKeyAsync(key.KeyId, "tests")).ShouldBeTrue();
        using var page = await person.GetAsync(new Uri("/", UriKind.Relative));
        page.StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("/\\evil.example")]
    public async Task Should_lead_nowhere_else(string returnTo)
    {
        var link = await host.Services.GetRequiredService<ILoginLinks>().CreateAsync();
        using var person = host.Stranger();
        using var response = await person.GetAsync(new Uri(link + "&returnTo=" + Uri.EscapeDataString(returnTo), UriKind.Relative));
        response.Headers.Location!.ToString().ShouldBe("/");
    }

    [Fact]
    public async Task Should_not_be_needed_for_health()
    {
        using var stranger = host.Stranger();
        (await stranger.GetAsync(new Uri("/health/live", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Should_be_needed_for_the_interface_description()
    {
        using var stranger = host.Stranger();
        (await stranger.GetAsync(new Uri("/openapi/v1.json", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var viewer = await host.ProgramAsync(Roles.Viewer);
        (await viewer.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative))).ShouldContain("/api/audits/{id}/report");
    }
}

[Collection(nameof(OneHost))]
public sealed class AnEndDeliveredFiveTimes(DashboardHost host)
{
    [Fact]
    public async Task Should_be_one_end()
    {
        var id = await host.CompletedAuditAsync();
        await host.SayAsync(Sample.Completed(id), Sample.Completed(id), Sample.Completed(id), Sample.Completed(id));
        await host.EventuallyAsync(async db => await db.Audits.AnyAsync(a => a.AuditId == id && a.Decisions >= 6), "all five were heard");
        using var client = await host.ProgramAsync(Roles.Viewer);
        var events = await client.GetStringAsync(new Uri($"/api/audits/{id}/events", UriKind.Relative));
        events.Split("event: status").Length.ShouldBe(2);
        events.Split("event: end").Length.ShouldBe(2);
    }
}
