using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using MassTransit;
using Microsoft.Data.Sqlite;
using Npgsql;
using PauseEngineMessage = Assay.Contracts.Internal.LlmGateway.PauseEngine;

namespace Assay.LlmGateway.Restore;

public sealed class RestoringTheLedger
{
    [Fact]
    public Task Should_let_no_call_leave_before_the_doctor_on_sqlite() => RestoreAsync(DatabaseProvider.Sqlite, openAnother: true);

    [Fact]
    [Trait("Needs", "Servers")]
    public Task Should_let_no_call_leave_before_the_doctor_on_postgres() => RestoreAsync(DatabaseProvider.PostgreSql, openAnother: true);

    /// <summary>No budget was opened after the copy: only the reports of what was paid tell that something is missing.</summary>
    [Fact]
    [Trait("Needs", "Servers")]
    public Task Should_also_notice_payments_that_opened_no_budget() => RestoreAsync(DatabaseProvider.PostgreSql, openAnother: false);

    static async Task RestoreAsync(DatabaseProvider provider, bool openAnother)
    {
        var engine = new TestEngine();
        var live = provider == DatabaseProvider.Sqlite ? GatewayHost.NewSqlite() : await GatewayHost.NewPostgresAsync();
        var request = Requests.Audit(Requests.Queries(6));
        AssayDatabase copy;
        GatewayHost? last = null;
        await using (var gateway = await GatewayHost.StartOnAsync(live, engine))
        {
            await gateway.OpenAsync(Requests.Open(request));
            await gateway.AskAsync(Requests.Ask(request, queries: ["best earbuds 1", "best earbuds 2"]));
            // The copy holds a call that would leave by itself.
            var planned = Requests.Ask(request, queries: ["best earbuds 6"]);
            await gateway.Bus.CreateRequestClient<PauseEngineMessage>().GetResponse<EngineList>(new PauseEngineMessage { Engine = "test", Reason = "test", RequestedBy = "operator" });
            await gateway.Bus.Publish(planned);
            await GatewayHost.EventuallyAsync(() => gateway.Of<BatchAlive>(request.AuditId).FirstOrDefault(alive => alive.BatchId == planned.BatchId));
            await gateway.StopAsync();
            copy = await CopyAsync(live);

            // What the copy will have forgotten: two calls of the same audit, and perhaps a budget.
            await using var goesOn = await gateway.StartAnotherAsync(live, engine);
            await goesOn.Bus.CreateRequestClient<ResumeEngine>().GetResponse<EngineList>(new ResumeEngine { Engine = "test", RequestedBy = "operator" });
            if (provider == DatabaseProvider.Sqlite)
                await ReopenAsync(goesOn, request);
            else
                await goesOn.AnsweredAsync(planned);
            await goesOn.AskAsync(Requests.Ask(request, attempt: provider == DatabaseProvider.Sqlite ? 2 : 1, queries: ["best earbuds 3", "best earbuds 4"]));
            if (openAnother)
                await goesOn.OpenAsync(Requests.Open(Requests.Audit(["other"])));
            await GatewayHost.EventuallyAsync(() => goesOn.Of<BudgetReported>(request.AuditId).FirstOrDefault(report => report.Calls >= (provider == DatabaseProvider.Sqlite ? 4 : 5)));
            last = goesOn;
        }

        var paid = provider == DatabaseProvider.Sqlite ? 4 : 5;
        engine.Received.Count.ShouldBe(paid);
        await ForgetThePauseAsync(copy);
        await using var restored = await last.StartAnotherAsync(copy, engine);
        var status = await EventuallyAsync(restored, status => status.Halted);
        status.HaltReason!.ShouldStartWith("LedgerRestored");

        // What a saga still runs goes on asking; what the copy remembers as planned would go by itself.
        var pending = Requests.Ask(request, attempt: provider == DatabaseProvider.Sqlite ? 2 : 1, queries: ["best earbuds 3", "best earbuds 5"]);
        await restored.Bus.Publish(pending);
        (await restored.OpenAsync(Requests.Open(Requests.Audit(["later"])))).ShouldBeOfType<BudgetRefused>().Reason.ShouldBe("SpendingHalted");
        var resume = await restored.Bus.CreateRequestClient<ResumeSpending>().GetResponse<SpendingResumed, SpendingHalted>(new ResumeSpending { Reason = "test", RequestedBy = "operator" });
        resume.Is<SpendingHalted>(out _).ShouldBeTrue("only the doctor ends this halt");
        engine.Received.Count.ShouldBe(paid);

        var client = restored.Bus.CreateRequestClient<RecoverLedger>(RequestTimeout.After(s: 30));
        var done = (await client.GetResponse<LedgerRecovered>(new RecoverLedger { Reason = "test", RequestedBy = "operator" })).Message;
        done.WasRestored.ShouldBeTrue();
        done.FailedAudits.ShouldContain(request.AuditId);
        done.FencedAudits.ShouldContain(request.AuditId);
        var forgotten = done.Forgotten.Single(audit => audit.AuditId == request.AuditId);
        (forgotten.SeenMicroUsd, forgotten.KnownMicroUsd).ShouldBe((paid * 105, 210));
        done.UnknownFrom.ShouldNotBeNull();
        done.UnknownTo!.Value.ShouldBeGreaterThan(done.UnknownFrom!.Value);
        (await client.GetResponse<LedgerRecovered>(new RecoverLedger { Reason = "test", RequestedBy = "operator" })).Message.WasRestored.ShouldBeFalse();

        // Fenced: nothing of the old attempt leaves, and the ledger's numbers are new to everyone.
        engine.Received.Count.ShouldBe(paid);
        var next = Requests.Audit(["next"]);
        (await restored.OpenAsync(Requests.Open(next))).ShouldBeOfType<BudgetOpened>().LedgerSequence.ShouldBeGreaterThan(done.HighestSequence);
        (await restored.AskAsync(Requests.Ask(next))).Answers.ShouldHaveSingleItem().State.ShouldBe(CallStates.Answered);
        engine.Received.Count.ShouldBe(paid + 1);
        await restored.ShouldBalanceAsync();
    }

    static async Task ForgetThePauseAsync(AssayDatabase database)
    {
        await using System.Data.Common.DbConnection connection = database.Provider == DatabaseProvider.Sqlite ? new SqliteConnection(database.ConnectionString) : new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "DELETE FROM engine_pause";
        (await command.ExecuteNonQueryAsync()).ShouldBe(1);
    }

    /// <summary>A gateway on a file fences what its predecessor left open: the audit goes on as a retry.</summary>
    static async Task ReopenAsync(GatewayHost gateway, Assay.Contracts.RequestAudit request) => (await gateway.OpenAsync(Requests.Open(request, attempt: 2))).ShouldBeOfType<BudgetOpened>();

    static Task<SpendingStatus> EventuallyAsync(GatewayHost gateway, Func<SpendingStatus, bool> reached) =>
        GatewayHost.EventuallyAsync(async () => (await gateway.Bus.CreateRequestClient<GetSpending>().GetResponse<SpendingStatus>(new GetSpending())).Message, reached);

    /// <summary>A real copy of the database as it is now, on the same server or beside the file.</summary>
    static async Task<AssayDatabase> CopyAsync(AssayDatabase database)
    {
        if (database.Provider == DatabaseProvider.Sqlite)
        {
            SqliteConnection.ClearAllPools();
            var file = new SqliteConnectionStringBuilder(database.ConnectionString).DataSource;
            var restored = GatewayHost.NewSqlite();
            var target = new SqliteConnectionStringBuilder(restored.ConnectionString).DataSource;
            foreach (var part in new[] { "", "-wal" })
                if (File.Exists(file + part))
                    File.Copy(file + part, target + part);
            return restored;
        }

        var server = await PrivatePostgres.Shared;
        var source = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;
        var name = $"{source[..Math.Min(50, source.Length)]}_copy";
        NpgsqlConnection.ClearAllPools();
        await using var connection = new NpgsqlConnection(server.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'";
        await command.ExecuteNonQueryAsync();
        command.CommandText = $"CREATE DATABASE \"{name}\" TEMPLATE \"{source}\"";
        await command.ExecuteNonQueryAsync();
        return AssayDatabase.PostgreSql(server.ConnectionStringFor(name));
    }
}
