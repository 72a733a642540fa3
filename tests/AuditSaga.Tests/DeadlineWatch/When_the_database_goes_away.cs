using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Npgsql;

namespace Assay.AuditSaga.Tests.DeadlineWatch;

[Trait("Needs", "Servers")]
public sealed class When_the_database_goes_away
{
    [Fact]
    public async Task Should_end_an_overdue_audit_once_it_is_back()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        var others = new Others();
        others.Silent[typeof(AskEngine)] = true;
        await using var host = await SagaHost.StartAsync(AssayDatabase.PostgreSql(await postgres.CreateDatabaseAsync("saga")), others, "AuditSaga:WatchInterval=00:00:00.100", "AuditSaga:WatchGrace=00:00:00");
        var request = Given.Request() with { DeadlineMinutes = 0.1 };
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, audit => audit.CurrentState == AuditStates.Asking);

        // Found by tests/Chaos: the watch met an exception that EF Core had wrapped, let it pass, and the host stopped the whole service.
        await postgres.KillAsync();
        await host.UntilTheWatchSawItAsync();
        await postgres.StartServerAsync();
        NpgsqlConnection.ClearAllPools();

        var ended = await host.UntilAsync(request.AuditId, audit => !audit.IsLive);
        ended.FailureReason.ShouldBe(FailureReasons.DeadlinePassed);
        host.IsStopping.ShouldBeFalse();
    }
}
