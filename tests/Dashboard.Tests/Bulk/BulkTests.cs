using System.Net;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Access;
using Assay.Dashboard.Bulk;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Bulk;

[Collection(nameof(OneHost))]
public sealed class AnActionOnMany(DashboardHost host)
{
    static readonly Uri Bulk = new("/api/audits/bulk", UriKind.Relative);

    async Task<string> TwoFailedAsync()
    {
        var brand = "Brand " + Guid.CreateVersion7();
        foreach (var id in new[] { Guid.CreateVersion7(), Guid.CreateVersion7() })
            await host.SayAsync(Sample.Registered(id, request: Sample.Request(id, brand)), Sample.Accepted(id), Sample.Failed(id));
        await host.EventuallyAsync(async db => await db.Audits.CountAsync(a => a.Brand == brand && a.Status == AuditStates.Failed) == 2, "both have failed");
        return brand;
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
        using var response = await client.DeleteAsync(new Uri($"/api/audits/{id}", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }
}
