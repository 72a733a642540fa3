using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Admission;

/// <summary>Two instances of the saga, each with a bus of its own, on one PostgreSQL database: only the database can decide between them.</summary>
[Trait("Needs", "Servers")]
public class When_two_instances_decide_at_the_same_instant
{
    static async Task<(SagaHost A, SagaHost B)> StartAsync(params string[] settings)
    {
        var database = AssayDatabase.PostgreSql(await (await PrivatePostgres.Shared).CreateDatabaseAsync("race"));
        // Admitted audits stay where they are.
        var others = new Others();
        others.Silent[typeof(OpenBudget)] = true;
        var a = await SagaHost.StartAsync(database, others, settings);
        return (a, await SagaHost.StartAsync(database, others, settings));
    }

    static async Task SendToBothAsync(SagaHost a, SagaHost b, IReadOnlyList<RequestAudit> requests) =>
        await Task.WhenAll(requests.Select((request, i) => (i % 2 == 0 ? a : b).SendAsync(request)));

    [Fact]
    public async Task Should_admit_one_audit_of_a_brand_kind_and_panel()
    {
        var (a, b) = await StartAsync();
        await using var _ = a;
        await using var __ = b;
        var requests = Enumerable.Range(0, 12).Select(_ => Given.Request()).ToArray();
        await SendToBothAsync(a, b, requests);

        foreach (var request in requests)
            await a.UntilAsync(request.AuditId, row => row.CurrentState is AuditStates.Admitting or AuditStates.Rejected);
        var rows = await a.QueryAsync(db => db.Audits.AsNoTracking().ToArrayAsync());
        var admitted = rows.Where(row => row.CurrentState == AuditStates.Admitting).ShouldHaveSingleItem();
        rows.Where(row => row != admitted).ShouldAllBe(row => row.FailureReason == RejectionReasons.AlreadyRunning && row.ExistingAuditId == admitted.CorrelationId);
    }

    [Fact]
    public async Task Should_hold_one_row_for_one_id_whoever_hears_it()
    {
        var (a, b) = await StartAsync();
        await using var _ = a;
        await using var __ = b;
        var request = Given.Request();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? a : b).SendAsync(request)));

        await a.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Admitting);
        await a.Others.UntilHeardAsync<OpenBudget>();
        (await a.QueryAsync(db => db.AuditTransitions.CountAsync())).ShouldBe(1);
        a.Others.All<OpenBudget>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Should_never_let_a_tree_grow_beyond_its_size()
    {
        var (a, b) = await StartAsync("AuditSaga:MaxTreeSize=4");
        await using var _ = a;
        await using var __ = b;
        var root = Given.Request("Root");
        await a.SendAsync(root);
        await a.UntilAsync(root.AuditId, row => row.CurrentState == AuditStates.Admitting);

        var children = Enumerable.Range(0, 10).Select(i => Given.Request($"Child{i}") with { ParentAuditId = root.AuditId }).ToArray();
        await SendToBothAsync(a, b, children);

        foreach (var child in children)
            await a.UntilAsync(child.AuditId, row => row.CurrentState is AuditStates.Admitting or AuditStates.Rejected);
        (await a.QueryAsync(db => db.Audits.CountAsync(row => row.CurrentState == AuditStates.Admitting))).ShouldBe(4);
        (await a.QueryAsync(db => db.Audits.CountAsync(row => row.FailureReason == RejectionReasons.LineageTooLarge))).ShouldBe(7);
        (await a.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(4);
    }
}
