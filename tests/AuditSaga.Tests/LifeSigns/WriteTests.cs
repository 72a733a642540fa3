using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.LifeSigns;

/// <summary>What the signs of four batches, one a second each, cost the saga's database.</summary>
public sealed class When_batches_say_every_second_that_they_are_alive : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("assay-saga-").FullName;

    [Fact]
    public async Task Should_write_the_row_once_a_second_at_most_and_hardly_ever_while_they_wait()
    {
        // The timers are delivered by the real time, so the test's clock starts there.
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        var others = new Others();
        others.Silent[typeof(AskEngine)] = true;
        await using var host = await SagaHost.StartAsync(AssayDatabase.Sqlite(Path.Combine(folder, "saga.db")), others, clock, "AuditSaga:BatchSize=2");
        var request = Given.Request();
        await host.SendAsync(request);
        var row = await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Asking);
        var batches = row.OpenBatches.Keys.ToArray();
        batches.Length.ShouldBe(4);

        var start = await CountAsync(host, request.AuditId);
        for (var second = 1; second <= 30; second++)
        {
            foreach (var batch in batches)
            {
                clock.Advance(TimeSpan.FromSeconds(0.25));
                await host.DeliverAsync(Given.Alive(request.AuditId, batch: batch, decided: second * 45 / 30) with { TotalCalls = 45 });
            }
        }

        var asked = await CountAsync(host, request.AuditId);
        for (var second = 1; second <= 30; second++)
        {
            foreach (var batch in batches)
            {
                clock.Advance(TimeSpan.FromSeconds(0.25));
                await host.DeliverAsync(Given.Alive(request.AuditId, batch: batch, decided: 45, waitingFor: "requests per minute") with { TotalCalls = 45 });
            }
        }

        var waited = await CountAsync(host, request.AuditId);
        // 120 signs each. Told as they came, they were 97 and 118 writes in 120 commits each.
        (asked.Writes - start.Writes).ShouldBeInRange(20, 60);
        (asked.Commits - start.Commits).ShouldBeInRange(20, 60);
        (waited.Writes - asked.Writes).ShouldBeInRange(3, 8);
        (waited.Commits - asked.Commits).ShouldBeInRange(3, 8);
        host.Others.All<AuditProgressed>().Count.ShouldBeInRange(15, 60);
        (await host.UntilAsync(request.AuditId, _ => true)).CompletedCalls.ShouldBe(4 * 45);
    }

    /// <summary>Every message that reached the database left an inbox row in its one commit; every write of the row raised its version.</summary>
    static async Task<(int Writes, int Commits)> CountAsync(SagaHost host, Guid auditId) =>
        (await host.QueryAsync(db => db.Audits.Where(audit => audit.CorrelationId == auditId).Select(audit => audit.Version).SingleAsync()),
            await host.QueryAsync(db => db.Set<InboxState>().CountAsync()));

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
