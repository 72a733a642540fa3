using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Pruning;

public class When_audits_ended_long_ago
{
    [Fact]
    public async Task Should_leave_a_tombstone_that_keeps_an_old_message_from_starting_anything()
    {
        await using var bench = await AuditBench.CreateAsync();
        var request = Given.Request();
        await bench.ToAsync(AuditStates.Completed, request);
        var live = await bench.ToAsync(AuditStates.Asking, Given.Request("Bose"));
        bench.Clock.Advance(TimeSpan.FromDays(91));

        (await bench.PruneAsync()).ShouldBe(1);

        (await bench.QueryAsync(db => db.Audits.SingleAsync())).CorrelationId.ShouldBe(live);
        (await bench.QueryAsync(db => db.AuditTransitions.CountAsync(step => step.AuditId == request.AuditId))).ShouldBe(0);
        (await bench.QueryAsync(db => db.AuditTombstones.SingleAsync())).State.ShouldBe(AuditStates.Completed);

        bench.Said.Clear();
        await bench.DeliverAsync(request);
        await bench.DeliverAsync(Given.Retry(request.AuditId));
        bench.All<OpenBudget>().ShouldBeEmpty();
        bench.All<AuditRejected>()[0].Reason.ShouldBe(RejectionReasons.AuditIdReused);
    }

    [Fact]
    public async Task Should_forget_how_often_force_was_used_on_a_day_long_past()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Completed);
        await bench.ToAsync(AuditStates.Completed, Given.Request() with { Force = true });
        bench.Clock.Advance(TimeSpan.FromDays(89));
        await bench.PruneAsync();
        (await bench.QueryAsync(db => db.ForcedAudits.CountAsync())).ShouldBe(1);

        bench.Clock.Advance(TimeSpan.FromDays(3));
        await bench.PruneAsync();
        (await bench.QueryAsync(db => db.ForcedAudits.CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_keep_what_ended_lately()
    {
        await using var bench = await AuditBench.CreateAsync();
        await bench.ToAsync(AuditStates.Completed);
        bench.Clock.Advance(TimeSpan.FromDays(89));
        (await bench.PruneAsync()).ShouldBe(0);
    }
}
