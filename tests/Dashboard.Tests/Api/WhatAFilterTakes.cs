using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;

namespace Assay.Dashboard.Tests.Api;

[Collection(nameof(OneHost))]
public sealed class WhatAFilterTakes(DashboardHost host)
{
    [Theory]
    [InlineData("/api/audits?status=Bogus", "status", "live, ended, ")]
    [InlineData("/api/audits?page=abc", "page", "whole number")]
    [InlineData("/api/audits?pageSize=1.5", "pageSize", "whole number")]
    [InlineData("/api/audits?page=99999999999", "page", "whole number")]
    [InlineData("/api/spending?days=many", "days", "whole number")]
    [InlineData("/api/spending?auditId=12", "auditId", "UUID")]
    public async Task Should_be_named_where_it_cannot_be_read(string path, string field, string use)
    {
        using var program = await host.ProgramAsync(Roles.Viewer);
        using var response = await program.GetAsync(new Uri(path, UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("errors")[0];
        error.GetProperty("field").GetString().ShouldBe(field);
        error.GetProperty("problem").GetString()!.ShouldContain(use);
    }

    [Theory]
    [InlineData("/api/audits?status=live&page=2&pageSize=10")]
    [InlineData("/api/audits?status=Rejected")]
    [InlineData("/api/audits?status=")]
    public async Task Should_be_taken_otherwise(string path)
    {
        using var program = await host.ProgramAsync(Roles.Viewer);
        using var response = await program.GetAsync(new Uri(path, UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Should_be_a_state_for_an_action_on_many_too()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var response = await program.PostAsJsonAsync(new Uri("/api/audits/bulk", UriKind.Relative), new { action = "cancel", filter = new { status = "Bogus" }, reason = "test", dryRun = true });
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldContain("filter.status");
    }
}
