using Assay.AuditSaga.Admission;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Admission;

public class When_a_request_is_not_valid
{
    [Fact]
    public async Task Should_reject_it_with_every_problem_and_spend_nothing()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = await bench.RequestAsync(Given.Request() with { Engines = [], Runs = 99 });

        var rejected = bench.Last<AuditRejected>();
        rejected.Reason.ShouldBe(RejectionReasons.InvalidRequest);
        rejected.Detail.ShouldContain("engines");
        rejected.Detail.ShouldContain("runs");
        bench.All<OpenBudget>().ShouldBeEmpty();
        bench.Timers.ShouldBeEmpty();
        (await bench.RowAsync(request.AuditId)).CurrentState.ShouldBe(AuditStates.Rejected);
    }

    [Fact]
    public async Task Should_survive_nulls_where_the_contract_has_none()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.RequestAsync(Given.Request() with { Brand = null!, Engines = null!, Competitors = null!, Kind = null!, Locale = null! });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.InvalidRequest);
        bench.All<AuditRegistered>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_take_it_again_corrected_under_the_same_id()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = await bench.RequestAsync(Given.Request() with { Runs = 99 });

        await bench.DeliverAsync(request with { Runs = 1 });

        var row = await bench.RowAsync(request.AuditId);
        (row.CurrentState, row.Attempt, row.FailureReason).ShouldBe((AuditStates.Admitting, 1, null));
        bench.Last<OpenBudget>().Attempt.ShouldBe(1);
    }
}

public class When_the_gateway_refuses
{
    [Fact]
    public async Task Should_reject_and_give_everything_back()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = await bench.RequestAsync();
        await bench.DeliverAsync(Given.Refused(request.AuditId));

        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.CeilingTooLow);
        bench.Timers.ShouldBeEmpty();
        (await bench.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
        (await bench.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(0);
    }

    [Fact]
    public async Task Should_use_the_next_number_when_it_is_sent_again_without_counting_it()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = await bench.RequestAsync();
        await bench.DeliverAsync(Given.Refused(request.AuditId));

        await bench.DeliverAsync(request with { CeilingUsd = 9 });
        await bench.DeliverAsync(Given.Refused(request.AuditId));
        await bench.GoOnToAsync(request.AuditId, AuditStates.Completed);

        bench.Last<OpenBudget>().Attempt.ShouldBe(2);
        bench.Last<OpenBudget>().CeilingMicroUsd.ShouldBe(9_000_000);
        var row = await bench.RowAsync(request.AuditId);
        (row.CurrentState, row.CountedAttempts).ShouldBe((AuditStates.Completed, 1));
        (await bench.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(1);
    }
}

public class When_the_same_panel_is_live
{
    [Fact]
    public async Task Should_refuse_the_second_and_name_the_first()
    {
        await using var bench = await AuditBench.CreateAsync();
        var first = await bench.ToAsync(AuditStates.Asking);
        var second = await bench.RequestAsync(Given.Request() with { Competitors = [] });

        var rejected = bench.Last<AuditRejected>();
        (rejected.AuditId, rejected.Reason, rejected.ExistingAuditId).ShouldBe((second.AuditId, RejectionReasons.AlreadyRunning, first));
    }

    [Theory]
    [InlineData("kind")]
    [InlineData("panel")]
    [InlineData("engines")]
    [InlineData("brand")]
    public async Task Should_allow_what_differs(string what)
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Asking);
        var other = await bench.RequestAsync(what switch
        {
            "kind" => Given.Request() with { Kind = AuditKinds.Product },
            "panel" => Given.Request() with { Queries = ["another query"] },
            "engines" => Given.Request() with { Engines = ["chatgpt"] },
            _ => Given.Request("Bose"),
        });
        (await bench.RowAsync(other.AuditId)).CurrentState.ShouldBe(AuditStates.Admitting);
    }

    [Fact]
    public async Task Should_see_one_brand_behind_its_subdomains_and_the_order_of_queries()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Asking);
        var request = Given.Request();
        await bench.RequestAsync(request with { Brand = request.Brand with { Domain = "https://www.shop.anker.com/x" }, Queries = [.. request.Queries!.Reverse()] });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.AlreadyRunning);
    }
}

public class When_the_same_content_is_complete
{
    [Fact]
    public async Task Should_point_to_the_result_and_return_the_allocation()
    {
        await using var bench = await AuditBench.CreateAsync();
        var first = await bench.ToAsync(AuditStates.Completed);
        var second = await bench.RequestAsync();
        await bench.DeliverAsync(Given.Opened(second.AuditId));

        var rejected = bench.Last<AuditRejected>();
        (rejected.Reason, rejected.ExistingAuditId).ShouldBe((RejectionReasons.AlreadyCompleted, first));
        var closed = bench.Last<CloseBudget>();
        (closed.AuditId, closed.Attempt).ShouldBe((second.AuditId, 1));
        (await bench.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Theory]
    [InlineData("old")]
    [InlineData("other model")]
    [InlineData("other aliases")]
    [InlineData("higher minimum")]
    [InlineData("failed")]
    [InlineData("deleted")]
    public async Task Should_not_point_to_anything_else(string what)
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = Given.Request() with { MinCoverage = 0.6 };
        var first = await bench.ToAsync(AuditStates.Asking, request);
        foreach (var batch in bench.All<AskEngine>())
            await bench.DeliverAsync(Given.Analyzed(batch, valid: 2));
        if (what == "failed")
            await bench.DeliverAsync(Given.Fault(new Contracts.Internal.Analyzer.ScoreAudit { AuditId = first, Attempt = 1, BatchIds = [] }));
        await bench.GoOnToAsync(first, AuditStates.Completed);
        if (what == "deleted")
            await bench.DeliverAsync(Given.Erased(first));
        if (what == "old")
            bench.Clock.Advance(TimeSpan.FromHours(24));

        var second = await bench.RequestAsync(request with
        {
            AuditId = Guid.NewGuid(),
            Brand = what == "other aliases" ? request.Brand with { Aliases = [] } : request.Brand,
            MinCoverage = what == "higher minimum" ? 0.9 : request.MinCoverage,
        });
        await bench.DeliverAsync(Given.Opened(second.AuditId, model: what == "other model" ? "m2" : "m1"));

        (await bench.RowAsync(second.AuditId)).CurrentState.ShouldBe(AuditStates.Planning);
    }

    [Fact]
    public async Task Should_let_force_override_it_three_times_a_day()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Completed);
        for (var i = 0; i < 3; i++)
        {
            var forced = await bench.ToAsync(AuditStates.Completed, Given.Request() with { Force = true });
            (await bench.RowAsync(forced)).CurrentState.ShouldBe(AuditStates.Completed);
        }

        var fourth = await bench.ToAsync(AuditStates.Completed, Given.Request() with { Force = true });
        (await bench.RowAsync(fourth)).FailureReason.ShouldBe(RejectionReasons.ForceLimit);

        bench.Clock.Advance(TimeSpan.FromHours(13));
        var nextDay = await bench.ToAsync(AuditStates.Completed, Given.Request() with { Force = true });
        (await bench.RowAsync(nextDay)).CurrentState.ShouldBe(AuditStates.Completed);
    }

    [Fact]
    public async Task Should_not_force_inside_one_lineage()
    {
        await using var bench = await AuditBench.CreateAsync();
        var root = await bench.ToAsync(AuditStates.Completed, Given.Request("Root"));
        await bench.ToAsync(AuditStates.Completed, Given.Request() with { ParentAuditId = root });

        var again = await bench.ToAsync(AuditStates.Completed, Given.Request() with { ParentAuditId = root, Force = true });

        var row = await bench.RowAsync(again);
        (row.CurrentState, row.FailureReason).ShouldBe((AuditStates.Rejected, RejectionReasons.ForceLimit));
    }
}

public class When_an_audit_descends_from_another
{
    static async Task<Guid> ChainAsync(AuditBench bench, int depth)
    {
        var id = await bench.ToAsync(AuditStates.Asking, Given.Request("Brand0"));
        for (var i = 1; i <= depth; i++)
            id = await bench.ToAsync(AuditStates.Asking, Given.Request($"Brand{i}") with { ParentAuditId = id });
        return id;
    }

    [Fact]
    public async Task Should_derive_its_lineage_from_the_parents_row()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await ChainAsync(bench, 2);
        var row = await bench.RowAsync(id);
        row.Depth.ShouldBe(2);
        row.Ancestry.Select(ancestor => ancestor.BrandKey).ShouldBe(["brand0.com", "brand1.com"]);
        row.TrackingId.ShouldBe(row.Ancestry[0].AuditId);
        bench.All<AuditRegistered>().Last().Ancestry.Count.ShouldBe(2);
        (await bench.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(3);
    }

    [Fact]
    public async Task Should_refuse_a_circle_but_not_another_kind()
    {
        await using var bench = await AuditBench.CreateAsync();
        var id = await ChainAsync(bench, 2);
        var circular = Given.Request("Brand1") with { ParentAuditId = id, Queries = ["other panel"] };
        await bench.RequestAsync(circular);
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.CircularLineage);

        var product = await bench.RequestAsync(circular with { AuditId = Guid.NewGuid(), Kind = AuditKinds.Product });
        (await bench.RowAsync(product.AuditId)).CurrentState.ShouldBe(AuditStates.Admitting);
    }

    [Fact]
    public async Task Should_refuse_what_is_too_deep_and_give_the_guard_back()
    {
        await using var bench = await AuditBench.CreateAsync(o => o.MaxDepth = 2);
        var id = await ChainAsync(bench, 2);
        await bench.RequestAsync(Given.Request("Brand3") with { ParentAuditId = id });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.LineageTooDeep);
        (await bench.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(3);
    }

    [Fact]
    public async Task Should_refuse_a_tree_that_is_too_large()
    {
        await using var bench = await AuditBench.CreateAsync(o => o.MaxTreeSize = 3);
        var id = await ChainAsync(bench, 2);
        await bench.RequestAsync(Given.Request("Brand3") with { ParentAuditId = id });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.LineageTooLarge);
        (await bench.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(3);
    }

    [Fact]
    public async Task Should_refuse_below_an_ancestor_of_the_same_kind_that_failed()
    {
        await using var bench = await AuditBench.CreateAsync();
        var root = await bench.ToAsync(AuditStates.Scoring, Given.Request("Brand0"));
        await bench.DeliverAsync(Given.Fault(new Contracts.Internal.Analyzer.ScoreAudit { AuditId = root, Attempt = 1, BatchIds = [] }));

        await bench.RequestAsync(Given.Request("Brand1") with { ParentAuditId = root });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.AncestorFailed);

        var other = await bench.RequestAsync(Given.Request("Brand1") with { ParentAuditId = root, Kind = AuditKinds.Competitor });
        (await bench.RowAsync(other.AuditId)).CurrentState.ShouldBe(AuditStates.Admitting);
    }

    [Fact]
    public async Task Should_refuse_an_unknown_parent()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.RequestAsync(Given.Request() with { ParentAuditId = Guid.NewGuid() });
        bench.Last<AuditRejected>().Reason.ShouldBe(RejectionReasons.InvalidRequest);
        bench.Last<AuditRejected>().Detail.ShouldContain("parentAuditId");
    }
}

public class When_brands_are_compared
{
    [Theory]
    [InlineData("Anker", "https://www.anker.com/de", "anker.com")]
    [InlineData("Anker", "shop.anker.co.uk", "anker.co.uk")]
    [InlineData("  ANKER   Innovations ", null, "anker innovations")]
    [InlineData("Ａｎｋｅｒ", null, "anker")]
    [InlineData("ΟΔΟΣ", null, "οδοσ")]
    [InlineData("οδος", null, "οδοσ")]
    [InlineData("Anker", "localhost", "anker")]
    public void Should_take_the_registrable_domain_else_the_folded_name(string name, string? domain, string key) => BrandKey.Of(name, domain).ShouldBe(key);

    [Fact]
    public void Should_give_children_an_id_that_follows_from_parent_brand_and_kind()
    {

        var parent = Guid.Parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        ChildAudits.IdOf(parent, "sony.com", "competitor").ShouldBe(ChildAudits.IdOf(parent, "sony.com", "competitor"));
        ChildAudits.IdOf(parent, "sony.com", "competitor").ShouldNotBe(ChildAudits.IdOf(parent, "sony.com", "brand"));
        ChildAudits.IdOf(parent, "sony.com", "competitor").ToString()[14].ShouldBe('5');
    }
}
