using System.Diagnostics;
using System.Net;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Reports;

public sealed class WithoutTheAnalyzer(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_say_so_before_a_person_leaves()
    {
        var id = await host.CompletedAuditAsync("Waiting");
        var other = await host.CompletedAuditAsync("Waiting");
        using var person = await host.PersonAsync();
        using var program = await host.ProgramAsync(Roles.Operator);
        host.Neighbours.AnalyzerIsDown = true;

        var seconds = TimeSpan.FromSeconds(14);
        var all = await Task.WhenAll(
            AskAsync(person, HttpMethod.Get, $"/audits/{id}/answers/key-chatgpt-q001", seconds),
            AskAsync(person, HttpMethod.Get, $"/audits/{id}/compare/{other}", seconds),
            AskAsync(person, HttpMethod.Get, $"/audits/{id}/report", seconds),
            AskAsync(program, HttpMethod.Get, $"/api/audits/{id}/compare/{other}", seconds),
            AskAsync(program, HttpMethod.Get, $"/api/audits/{id}/report?format=csv", seconds),
            AskAsync(program, HttpMethod.Delete, $"/api/audits/{id}?reason=test", seconds * 1.7));

        all[0].Status.ShouldBe(HttpStatusCode.OK);
        all[0].Text.ShouldContain("It begins:");
        all[1..].ShouldAllBe(answer => answer.Status == HttpStatusCode.ServiceUnavailable && answer.ComesAgain);
        await host.EventuallyAsync(db => db.Audits.AnyAsync(audit => audit.AuditId == id), "what was not erased everywhere is not deleted here");
    }

    static async Task<(HttpStatusCode Status, bool ComesAgain, string Text)> AskAsync(HttpClient client, HttpMethod method, string path, TimeSpan within)
    {
        var asked = Stopwatch.StartNew();
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        using var response = await client.SendAsync(request);
        asked.Elapsed.ShouldBeLessThan(within, path);
        return (response.StatusCode, response.Headers.RetryAfter is not null, await response.Content.ReadAsStringAsync());
    }
}
