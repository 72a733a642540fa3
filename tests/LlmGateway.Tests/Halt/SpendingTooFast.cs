using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway.Halt;

public sealed class SpendingTooFast
{
    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(100, 100, false)]
    [InlineData(200, 100, false)]
    [InlineData(201, 100, true)]
    [InlineData(1, 0, true)]
    public void Should_halt_only_what_no_open_plan_could_cost(long burned, long planned, bool tooFast) => BurnRateGuard.IsTooFast(burned, planned, multiple: 2).ShouldBe(tooFast);

    [Theory]
    [InlineData(DatabaseProvider.Sqlite)]
    [InlineData(DatabaseProvider.PostgreSql)]
    [Trait("Needs", "Servers")]
    public async Task Should_halt_once_more_was_spent_in_a_minute_than_the_plans_at_work_can_cost(DatabaseProvider provider)
    {
        await using var gateway = await GatewayHost.StartAsync(provider, new TestEngine());
        var request = Requests.Audit(Requests.Queries(3));
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.AskAsync(Requests.Ask(request));
        var worst = await gateway.QueryAsync(database => database.AuditBudgets.Where(budget => budget.AuditId == request.AuditId).Select(budget => budget.WorstCaseMicroUsd).SingleAsync());
        await gateway.CloseAsync(request.AuditId);

        // What a loop would leave behind, by what way ever it came past keys and ceilings. The closed audit still counts as a plan of this minute.
        await SpendAsync(gateway, request.AuditId, 3 * worst);

        var halt = await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(database => database.Halts.AsNoTracking().SingleAsync()), row => row.Halted == 1);
        halt.Reason.ShouldNotBeNull().ShouldStartWith("BurnRate: ");
        halt.HaltedBy.ShouldBe("gateway");
    }

    static Task<int> SpendAsync(GatewayHost gateway, Guid auditId, long microUsd) => gateway.QueryAsync(database =>
    {
        var now = DateTime.UtcNow;
        database.PaidTries.Add(new PaidTry
        {
            TryId = Guid.CreateVersion7(), CallKey = "by-hand", AuditId = auditId, Attempt = 1, Owner = Guid.NewGuid(), Number = 1, Engine = "test", State = TryStates.Answered,
            SpentMicroUsd = microUsd, Day = Scopes.DayOf(now), SentAt = now, EndedAt = now,
        });
        return database.SaveChangesAsync();
    });
}
