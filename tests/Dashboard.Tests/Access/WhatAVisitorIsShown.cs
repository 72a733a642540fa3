using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Access;

[Collection(nameof(OneHost))]
public sealed class WhatAVisitorIsShown(DashboardHost host)
{
    [Theory]
    [InlineData(Roles.Viewer)]
    [InlineData(Roles.Producer, "share", "retry", "again", "new", "cancel", "ask")]
    [InlineData(Roles.Operator, "share", "retry", "again", "new", "cancel", "ask", "delete", "bulk", "stop", "cancel all")]
    public async Task Should_be_what_the_role_permits(string role, params string[] ways)
    {
        var failed = Guid.CreateVersion7();
        var live = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(failed), Sample.Accepted(failed), Sample.Failed(failed), Sample.Registered(live), Sample.Accepted(live));
        await host.EventuallyAsync(async db => await db.Audits.AnyAsync(a => a.AuditId == failed && a.Status == AuditStates.Failed) && await db.Audits.AnyAsync(a => a.AuditId == live && a.AcceptedAttempt == 1), "one failed and one lives");
        host.Neighbours.Doubtful = failed;
        using var person = await host.PersonAsync(role);
        async Task<string> PageAsync(string path) => await person.GetStringAsync(new Uri(path, UriKind.Relative));
        var (over, running, list, spending, operations) = (await PageAsync($"/audits/{failed}"), await PageAsync($"/audits/{live}"), await PageAsync("/?q=a"), await PageAsync("/spending"), await PageAsync("/operations"));

        (string Way, bool Shown)[] shown =
        [
            ("share", over.Contains($"/audits/{failed}/share", StringComparison.Ordinal)), ("retry", over.Contains($"/audits/{failed}/retry", StringComparison.Ordinal)),
            ("again", over.Contains($"/audits/new?like={failed}", StringComparison.Ordinal)), ("delete", over.Contains($"/audits/{failed}/delete", StringComparison.Ordinal)),
            ("cancel", running.Contains($"/audits/{live}/cancel", StringComparison.Ordinal)), ("new", list.Contains("href=\"/audits/new\"", StringComparison.Ordinal)),
            ("bulk", list.Contains("/audits/bulk", StringComparison.Ordinal)), ("ask", spending.Contains("Ask again", StringComparison.Ordinal)),
            ("stop", spending.Contains("/spending/stop", StringComparison.Ordinal)), ("cancel all", operations.Contains("Cancel all live ones", StringComparison.Ordinal)),
        ];
        shown.Where(way => way.Shown).Select(way => way.Way).Order(StringComparer.Ordinal).ShouldBe(ways.Order(StringComparer.Ordinal));
        over.ShouldContain($"/audits/{failed}/report");
        over.ShouldContain($"/audits/{failed}/rederive");
    }
}
