using System.Net;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Deletion;

public sealed class WhenAMessageComesAfterTheDeletion(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_not_bring_the_audit_back()
    {
        var id = await host.CompletedAuditAsync("Ghost");
        using var program = await host.ProgramAsync(Roles.Operator);
        using (var deleted = await program.DeleteAsync(new Uri($"/api/audits/{id}?reason=test", UriKind.Relative)))
            deleted.StatusCode.ShouldBe(HttpStatusCode.Accepted);

        // Everything again, as a replay would tell it; the message behind them shows that they were consumed.
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Transitioned(id, 9, AuditStates.Asking, AuditStates.Scoring), Sample.Planned(id), Sample.Insights(id, 1), Sample.Budget(id, 9, 1, final: true), Sample.Completed(id));
        var marker = await host.CompletedAuditAsync("Marker");
        await host.EventuallyAsync(async db => !await db.Audits.AnyAsync(a => a.AuditId == id) && !await db.Transitions.AnyAsync(t => t.AuditId == id) && !await db.Panels.AnyAsync(p => p.AuditId == id)
            && await db.Audits.AnyAsync(a => a.AuditId == marker), "it stays deleted");
        await host.EventuallyAsync(db => db.DeletedAudits.AnyAsync(d => d.AuditId == id && d.DeletedBy == "test operator"), "who and when are kept");

        using var again = await program.PostAsJsonAsync(new Uri("/api/audits", UriKind.Relative), Sample.Request(id), AssayJson.Options);
        again.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await again.Content.ReadAsStringAsync()).ShouldContain("was deleted");
        using var gone = await program.GetAsync(new Uri($"/api/audits/{id}", UriKind.Relative));
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        // Who deleted it stays in the trail; the id there leads nowhere any more.
        using var person = await host.PersonAsync();
        var operations = await person.GetStringAsync(new Uri("/operations", UriKind.Relative));
        operations.ShouldContain(id.ToString()[^8..]);
        operations.ShouldNotContain($"/audits/{id}");
    }
}
