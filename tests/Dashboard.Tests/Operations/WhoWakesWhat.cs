using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Operations;

/// <summary>Rows that wait say for whom, wherever they are listed.</summary>
public sealed class WhoWakesWhat(DashboardHost host) : IClassFixture<DashboardHost>
{
    async Task<string> PageAsync(string path)
    {
        using var person = await host.PersonAsync();
        return await person.GetStringAsync(new Uri(path, UriKind.Relative));
    }

    [Fact]
    public async Task Should_be_said_of_audits_engines_and_outboxes()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Transitioned(id, 2, AuditStates.Planning, AuditStates.Asking));
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.Status == AuditStates.Asking), "it asks");
        const string By = "the gateway and the analyzer, with each batch that is read";
        (await PageAsync("/")).ShouldContain($"waits for answers, woken by {By}");
        (await PageAsync($"/audits/{id}")).ShouldContain($"woken by {By}. If nothing comes it is ended by the stall timer");
        var operations = await PageAsync("/operations");
        operations.ShouldContain(By);
        operations.ShouldContain("until its limits leave room, by itself");
        operations.ShouldContain("its service sends when it is due");

        using var program = await host.ProgramAsync(Roles.Operator);
        await program.PostAsJsonAsync(new Uri("/api/engines/claude/pause", UriKind.Relative), new { reason = "odd" });
        (await PageAsync("/operations")).ShouldContain("until an operator resumes it");
    }

    [Fact]
    public async Task Should_list_the_latest_transitions_and_lead_to_the_timeline()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id, request: Sample.Request(id, "Moved")), Sample.Accepted(id), Sample.Transitioned(id, 2, AuditStates.Admitting, AuditStates.Planning));
        await host.EventuallyAsync(db => db.Transitions.AnyAsync(step => step.AuditId == id), "it has moved");
        var page = await PageAsync("/operations");
        page.ShouldContain("Latest transitions");
        page.ShouldContain($"/audits/{id}#timeline");
        page.ShouldContain("/audits/bulk?action=cancel");
    }

    [Theory]
    [InlineData(0, "0 tries")]
    [InlineData(1, "1 try")]
    [InlineData(2, "2 tries")]
    [InlineData(12_345, "12 345 tries")]
    public void Should_count_in_words_that_agree(int count, string words) => Show.Many(count, "try", "tries").ShouldBe(words);

    [Fact]
    public async Task Should_not_speak_of_1_audits()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Failed(id));
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.Status == AuditStates.Failed), "it failed");
        (await PageAsync($"/lineage/{id}")).ShouldContain("· 1 audit ·");
        var bulk = await PageAsync($"/audits/bulk?action=retry&q={id}");
        bulk.ShouldContain("Retry 1 audit<");
        bulk.ShouldContain("This search names 1 audit that can be retried.");
    }
}
