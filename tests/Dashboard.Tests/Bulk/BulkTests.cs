using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Access;
using Assay.Dashboard.Bulk;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Bulk;

[Collection(nameof(OneHost))]
public sealed partial class AnActionOnMany(DashboardHost host)
{
    static readonly Uri Bulk = new("/api/audits/bulk", UriKind.Relative);

    async Task<string> TwoFailedAsync()
    {
        var brand = "Brand " + Guid.CreateVersion7();
        await FailAsync(brand, 1);
        await FailAsync(brand, 2);
        return brand;
    }

    async Task FailAsync(string brand, int inAll)
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id, request: Sample.Request(id, brand)), Sample.Accepted(id), Sample.Failed(id));
        await host.EventuallyAsync(async db => await db.Audits.CountAsync(a => a.Brand == brand && a.Status == AuditStates.Failed) == inAll, $"{inAll} have failed");
    }

    [Fact]
    public async Task Should_count_first_and_do_nothing()
    {
        var brand = await TwoFailedAsync();
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand }, reason = "test", dryRun = true }));
        var result = await DashboardHost.ReadAsync<BulkResult>(response);
        result.Count.ShouldBe(2);
        result.WorstCaseUsd.ShouldBe(9.96m);
        host.Heard<RetryAudit>(r => result.AuditIds.Contains(r.AuditId)).ShouldBe(0);
    }

    [Fact]
    public async Task Should_reach_each_of_them()
    {
        var brand = await TwoFailedAsync();
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand, status = "Failed" }, reason = "test", dryRun = false }));
        var ids = (await DashboardHost.ReadAsync<BulkResult>(response)).AuditIds;
        await host.EventuallyAsync(_ => Task.FromResult(host.Heard<RetryAudit>(r => ids.Contains(r.AuditId)) == 2), "both retries were heard");
    }

    [Fact]
    public async Task Should_not_be_everything_by_mistake()
    {
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.PostAsync(Bulk, JsonContent.Create(new { action = "cancel", reason = "test" }));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Should_show_its_count_before_the_button()
    {
        var brand = await TwoFailedAsync();
        using var person = await host.PersonAsync();
        (await person.GetStringAsync(new Uri($"/audits/bulk?action=delete&brand={Uri.EscapeDataString(brand)}", UriKind.Relative))).ShouldContain("Delete 2 audits");
    }

    [Fact]
    public async Task Should_do_nothing_to_others_than_the_page_counted()
    {
        var brand = await TwoFailedAsync();
        using var person = await host.PersonAsync();
        var counted = await person.GetStringAsync(new Uri($"/audits/bulk?action=delete&brand={Uri.EscapeDataString(brand)}", UriKind.Relative));
        await FailAsync(brand, 3);

        using var refused = await person.PostAsync(new Uri("/audits/bulk", UriKind.Relative), AsShown(counted, brand));
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var anew = await refused.Content.ReadAsStringAsync();
        anew.ShouldContain("Nothing was done");
        anew.ShouldContain("Delete 3 audits");
        anew.ShouldContain("value=\"they were tests\"");
        await host.EventuallyAsync(async db => await db.Audits.CountAsync(a => a.Brand == brand) == 3, "all three are there");

        using var agreed = await person.PostAsync(new Uri("/audits/bulk", UriKind.Relative), AsShown(anew, brand));
        agreed.StatusCode.ShouldBe(HttpStatusCode.OK);
        await host.EventuallyAsync(async db => !await db.Audits.AnyAsync(a => a.Brand == brand), "all three are deleted");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Should_hold_to_the_count_a_program_expects(bool dryRun)
    {
        var brand = await TwoFailedAsync();
        using var client = await host.ProgramAsync(Roles.Operator);
        using var refused = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand }, reason = "test", dryRun, expected = 1 }));
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await refused.Content.ReadAsStringAsync()).ShouldContain("\"count\":2");
        using var agreed = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand }, reason = "test", dryRun, expected = 2 }));
        (await DashboardHost.ReadAsync<BulkResult>(agreed)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Should_hold_to_the_very_audits_a_program_was_shown()
    {
        var brand = await TwoFailedAsync();
        using var client = await host.ProgramAsync(Roles.Operator);
        using var counted = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand }, reason = "test", dryRun = true }));
        var shown = (await DashboardHost.ReadAsync<BulkResult>(counted)).AuditIds;
        using var others = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand }, reason = "test", auditIds = new[] { shown[0], Guid.NewGuid() } }));
        others.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await others.Content.ReadAsStringAsync()).ShouldContain("AuditsChanged");
        using var agreed = await client.PostAsync(Bulk, JsonContent.Create(new { action = "retry", filter = new { brand }, reason = "test", auditIds = shown }));
        agreed.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    static FormUrlEncodedContent AsShown(string page, string brand) => new(
    [
        new("__RequestVerificationToken", APage.TokenField().Match(page).Groups["value"].Value), new("action", "delete"), new("brand", brand), new("reason", "they were tests"),
        new("audits", Shown().Match(page).Groups["value"].Value),
    ]);

    [GeneratedRegex("name=\"audits\" value=\"(?<value>[0-9a-f,-]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Shown();
}

[Collection(nameof(OneHost))]
public sealed class DeletingAnAudit(DashboardHost host)
{
    [Fact]
    public async Task Should_take_its_texts_too()
    {
        var id = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.DeleteAsync(new Uri($"/api/audits/{id}?reason=test", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        host.Heard<EraseAnswers>(e => e.AuditId == id).ShouldBe(1);
        using var gone = await client.GetAsync(new Uri($"/api/audits/{id}", UriKind.Relative));
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await host.EventuallyAsync(async db => !await db.Answers.AnyAsync(a => a.AuditId == id), "the answers are gone");
    }

    [Fact]
    public async Task Should_wait_until_it_has_ended()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id));
        await host.EventuallyAsync(async db => await db.Audits.AnyAsync(a => a.AuditId == id), "it is there");
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.DeleteAsync(new Uri($"/api/audits/{id}?reason=test", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?reason=%20")]
    public async Task Should_need_a_reason(string query)
    {
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.DeleteAsync(new Uri($"/api/audits/{Guid.CreateVersion7()}{query}", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldContain("\"field\":\"reason\"");
    }

    [Fact]
    public async Task Should_be_recorded_only_of_an_audit_that_is_there()
    {
        var id = Guid.CreateVersion7();
        using var client = await host.ProgramAsync(Roles.Operator);
        using var response = await client.DeleteAsync(new Uri($"/api/audits/{id}?reason=test", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await host.EventuallyAsync(async db => !await db.OperatorActions.AnyAsync(action => action.AuditId == id), "nothing is recorded");
    }
}
