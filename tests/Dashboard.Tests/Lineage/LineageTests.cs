using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Lineage;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Lineage;

[Collection(nameof(OneHost))]
public sealed class ATree(DashboardHost host)
{
    [Fact]
    public void Should_count_a_refused_child_one_deeper_than_its_parent()
    {
        var root = Guid.CreateVersion7();
        var refused = Guid.CreateVersion7();
        var tree = LineageEndpoints.Build(root,
        [
            AuditReader.Describe(new AuditRow { AuditId = root, Status = AuditStates.Completed, Depth = 2 }, [], []),
            AuditReader.Describe(new AuditRow { AuditId = refused, Status = AuditStates.Rejected, ParentAuditId = root, RejectionReason = RejectionReasons.InvalidRequest }, [], []),
        ]);
        var node = tree.Roots.Single();
        (node.Depth, node.Children.Single().Depth).ShouldBe((2, 3));
    }

    [Fact]
    public async Task Should_show_children_and_refused_spawns_with_their_reasons()
    {
        var root = Guid.CreateVersion7();
        var child = Guid.CreateVersion7();
        var refused = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(root),
            Sample.Registered(child, request: Sample.Request(child, "Sony") with { ParentAuditId = root }) with { TrackingId = root, Ancestry = [root], Depth = 1 },
            Sample.Registered(refused, request: Sample.Request(refused, "Anker") with { ParentAuditId = child }) with { TrackingId = root, Ancestry = [root, child], Depth = 2 },
            Sample.Rejected(refused, RejectionReasons.CircularLineage));
        await host.EventuallyAsync(async db => await db.Audits.CountAsync(a => a.TrackingId == root && (a.AuditId != refused || a.Status == AuditStates.Rejected)) == 3, "the tree is in");
        using var client = await host.ProgramAsync(Roles.Viewer);
        using var response = await client.GetAsync(new Uri($"/api/lineage/{root}", UriKind.Relative));
        var tree = await DashboardHost.ReadAsync<LineageTree>(response);
        (tree.Size, tree.Refused).ShouldBe((2, 1));
        var leaf = tree.Roots.Single().Children.Single().Children.Single();
        leaf.Refusal.ShouldBe(RejectionReasons.CircularLineage);
        using var person = await host.PersonAsync();
        (await person.GetStringAsync(new Uri($"/lineage/{root}", UriKind.Relative))).ShouldContain(RejectionReasons.CircularLineage);
    }
}
