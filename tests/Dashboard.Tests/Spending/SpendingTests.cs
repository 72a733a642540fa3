using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Spending;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Spending;

public sealed class WhenMoneyIsLookedAt(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_be_told_by_audit_tree_day_and_engine()
    {
        var root = Guid.CreateVersion7();
        var child = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(root, request: Sample.Request(root, "Rootly")), Sample.Accepted(root), Sample.Budget(root, 1, 40_000, final: true),
            Sample.Registered(child, request: Sample.Request(child, "Childly") with { Kind = AuditKinds.Competitor, ParentAuditId = root }) with { TrackingId = root, Ancestry = [root], Depth = 1 }, Sample.Accepted(child), Sample.Budget(child, 1, 20_000, final: true, inDoubt: 1));
        await host.EventuallyAsync(async db => await db.Audits.CountAsync(a => a.TrackingId == root && a.BudgetFinal) == 2, "both are told");

        using var person = await host.PersonAsync();
        var page = await person.GetStringAsync(new Uri("/spending", UriKind.Relative));
        page.ShouldContain("By day and engine");
        page.ShouldContain("2026-11-22");
        page.ShouldContain("By tree");
        page.ShouldContain($"/lineage/{root}");
        page.ShouldContain("$0.0600"); // 0.04 + 0.02 of the tree
        page.ShouldContain("Childly");
        using var program = await host.ProgramAsync(Roles.Viewer);
        var view = (await program.GetFromJsonAsync<SpendingView>(new Uri("/api/spending?days=7", UriKind.Relative), AssayJson.Options))!;
        view.ByDay.ShouldContain(new EngineSpendingView("2026-11-22", "chatgpt", 12, 11, 2.5m, 0.1m, 0.05m));
        (await program.GetFromJsonAsync<SpendingView>(new Uri("/api/spending", UriKind.Relative), AssayJson.Options))!.ByDay.ShouldBeEmpty();
    }
}
