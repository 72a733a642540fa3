using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Spending;

/// <summary>Reports of money end in one guarded UPDATE, before inbox and saga.</summary>
public sealed class When_the_ledger_reports_what_was_spent : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("assay-saga-").FullName;

    async Task<(SagaHost Host, Guid AuditId)> StartAsync()
    {
        var others = new Others();
        others.Silent[typeof(AskEngine)] = true;
        var host = await SagaHost.StartAsync(AssayDatabase.Sqlite(Path.Combine(folder, "saga.db")), others);
        var request = Given.Request();
        await host.SendAsync(request);
        await host.UntilAsync(request.AuditId, row => row.CurrentState == AuditStates.Asking);
        return (host, request.AuditId);
    }

    static Task<int> InboxAsync(SagaHost host) => host.QueryAsync(db => db.Set<InboxState>().CountAsync());

    [Fact]
    public async Task Should_keep_the_newest_without_an_inbox_row()
    {
        var (host, id) = await StartAsync();
        await using var _ = host;
        var before = await InboxAsync(host);

        await host.DeliverAsync(Given.Reported(id, version: 2, spent: 700));
        await host.DeliverAsync(Given.Reported(id, version: 2, spent: 999));
        await host.DeliverAsync(Given.Reported(id, version: 1, spent: 500));

        var row = await host.UntilAsync(id, _ => true);
        (row.ReportVersion, row.ReportedMicroUsd, row.SettledMicroUsd).ShouldBe((2, 700, 100));
        (await InboxAsync(host)).ShouldBe(before);
    }

    [Fact]
    public async Task Should_do_in_the_row_what_the_state_does_in_memory()
    {
        var (host, id) = await StartAsync();
        await using var _ = host;
        var state = await host.UntilAsync(id, _ => true);
        foreach (var report in new[] { Given.Reported(id, 1, 300), Given.Reported(id, 3, 900), Given.Reported(id, 2, 600), Given.Reported(id, 4, 800) with { Final = true }, Given.Reported(id, 5, 850) })
        {
            state.NoteSpending(report);
            await host.DeliverAsync(report);
            var row = await host.UntilAsync(id, _ => true);
            (row.ReportVersion, row.ReportedMicroUsd, row.SettledMicroUsd).ShouldBe((state.ReportVersion, state.ReportedMicroUsd, state.SettledMicroUsd));
        }
    }

    [Fact]
    public async Task Should_drop_what_is_said_of_an_unknown_audit()
    {
        var (host, _) = await StartAsync();
        await using var started = host;
        await host.DeliverAsync(Given.Reported(Guid.NewGuid(), 1, 300));
        (await host.QueryAsync(db => db.Audits.CountAsync())).ShouldBe(1);
    }

    [Fact]
    public async Task Should_leave_money_beyond_a_reservation_to_the_machine()
    {
        var (host, id) = await StartAsync();
        await using var _ = host;
        await host.SendAsync(Given.Reported(id, 1, 300) with { OverrunMicroUsd = 20 });
        (await host.Others.UntilHeardAsync<AlertRaised>()).Kind.ShouldBe(AlertKinds.Overrun);
        (await host.UntilAsync(id, row => row.ReportVersion == 1)).ReportedMicroUsd.ShouldBe(300);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}

/// <summary>The shortcut against what every message on the saga's endpoint is promised.</summary>
public sealed class When_a_report_ends_before_the_saga : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("assay-saga-").FullName;

    /// <summary>A database that is away for a moment must not send a report to the error queue: redelivery and retry enclose the shortcut.</summary>
    [Fact]
    public async Task Should_be_retried_and_redelivered_like_any_other()
    {
        await using var host = await SagaHost.StartAsync(AssayDatabase.Sqlite(Path.Combine(folder, "saga.db")), null, "Messaging:Redelivery=00:00:01");
        using var pipeline = JsonDocument.Parse(host.Pipeline);
        var filters = PipesOf(pipeline.RootElement, nameof(BudgetReported)).Select(pipe => pipe.EnumerateArray().Select(filter => filter.GetProperty("filterType").GetString()).ToList())
            .Single(pipe => pipe.Contains("saga"));
        filters.Where(filter => filter is "retry" or "budgetReports" or "outbox" or "saga").ShouldBe(["retry", "retry", "budgetReports", "outbox", "saga"]);
    }

    /// <summary>The filters of every pipe that dispatches a message, wherever it stands in what the bus says of itself.</summary>
    static IEnumerable<JsonElement> PipesOf(JsonElement element, string message) => element.ValueKind switch
    {
        JsonValueKind.Object => (element.TryGetProperty("outputType", out var type) && type.ValueKind == JsonValueKind.String && type.GetString()!.EndsWith($".{message}>", StringComparison.Ordinal)
                && element.TryGetProperty("filters", out var filters) && filters.ValueKind == JsonValueKind.Array ? [filters] : Array.Empty<JsonElement>())
            .Concat(element.EnumerateObject().SelectMany(property => PipesOf(property.Value, message))),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(item => PipesOf(item, message)),
        _ => [],
    };

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
