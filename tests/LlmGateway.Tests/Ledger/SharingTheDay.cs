using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Npgsql;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;

namespace Assay.LlmGateway.Ledger;

/// <summary>
/// All audits share the day's row, and those of a family their tree's. Whoever held them while it wrote its own calls would have everybody
/// wait for all of that: with hundreds of audits on busy cores until their locks timed out.
/// </summary>
[Trait("Needs", "Servers")]
public sealed class SharingTheDay
{
    [Fact]
    public Task Should_leave_it_free_while_a_budget_opens() =>
        ShouldBeFreeAsync(open: false, gateway => gateway.Bus.Publish(Requests.Open(Request)), async gateway => (await gateway.OpenAsync(Requests.Open(Request))).ShouldBeOfType<BudgetOpened>());

    [Fact]
    public Task Should_leave_it_free_while_a_phase_begins() =>
        ShouldBeFreeAsync(open: true, gateway => gateway.Bus.Publish(Ask), async gateway => (await gateway.AnsweredAsync(Ask)).Answers.ShouldAllBe(answer => answer.State == CallStates.Answered));

    [Fact]
    public Task Should_leave_it_free_while_a_budget_closes() =>
        ShouldBeFreeAsync(open: true, gateway => gateway.Bus.Publish(new CloseBudgetMessage { AuditId = Request.AuditId, Attempt = 1, Reason = "test" }), async gateway => await gateway.CloseAsync(Request.AuditId));

    Contracts.RequestAudit Request { get; } = Requests.Audit(Requests.Queries(5));

    Contracts.Internal.LlmGateway.AskEngine Ask => field ??= Requests.Ask(Request);

    async Task ShouldBeFreeAsync(bool open, Func<GatewayHost, Task> act, Func<GatewayHost, Task> end)
    {
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.PostgreSql, new TestEngine());
        // Another audit makes the day's row; this one's tree may not exist yet.
        (await gateway.OpenAsync(Requests.Open(Requests.Audit(["q"])))).ShouldBeOfType<BudgetOpened>();
        if (open)
            (await gateway.OpenAsync(Requests.Open(Request))).ShouldBeOfType<BudgetOpened>();

        await using (var connection = new NpgsqlConnection(gateway.Database.ConnectionString))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await ExecuteAsync(connection, "LOCK TABLE paid_call IN ACCESS EXCLUSIVE MODE");
            await act(gateway);
            await WaiterAsync(connection);

            (await ExecuteAsync(connection, "SELECT 1 FROM spending WHERE scope LIKE 'day:%' OR scope LIKE 'tree:%' FOR UPDATE NOWAIT")).ShouldBeGreaterThanOrEqualTo(open ? 3 : 2, "rows of day and trees that nobody holds");
        }

        await end(gateway);
    }

    /// <summary>Waits until a transaction that has its budget's lock waits for the calls.</summary>
    static async Task WaiterAsync(NpgsqlConnection connection)
    {
        var giveUp = DateTime.UtcNow.AddSeconds(30);
        while (await ExecuteAsync(connection, """
            SELECT 1 FROM pg_locks waits JOIN pg_locks holds ON holds.pid = waits.pid
            WHERE NOT waits.granted AND waits.relation = 'paid_call'::regclass AND holds.granted AND holds.relation = 'audit_budget'::regclass AND holds.mode = 'RowShareLock'
            """) == 0)
        {
            DateTime.UtcNow.ShouldBeLessThan(giveUp, "nobody came to wait for the calls");
            await Task.Delay(20);
        }
    }

    /// <returns>How many rows came back.</returns>
    static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = 0;
        while (await reader.ReadAsync())
            rows++;
        return rows;
    }
}
