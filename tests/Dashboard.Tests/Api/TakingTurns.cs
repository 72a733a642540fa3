using System.Net;
using System.Net.Http.Json;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Tests.Hosting;
using Assay.TestServers;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Assay.Dashboard.Tests.Api;

/// <summary>Found by the crowd of tests/Chaos: hundreds of requests waited for ten connections until they timed out, and the Dashboard was never ready again.</summary>
[Trait("Needs", "Servers")]
public sealed class TakingTurns
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Should_refuse_at_once_what_would_wait_for_long_and_work_on()
    {
        const int tooMany = 20;
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("turns");
        var host = new DashboardHost { Postgres = database };
        await host.InitializeAsync();
        using var program = await host.ProgramAsync(Roles.Viewer);
        using var stranger = host.Stranger();
        await using var locker = new NpgsqlConnection(database);
        await locker.OpenAsync();
        var held = await locker.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE", locker, held))
            await command.ExecuteNonQueryAsync();

        var asked = Enumerable.Range(0, RequestTurns.AtOnce + RequestTurns.Waiting + tooMany).Select(_ => program.GetAsync(new Uri("/api/audits", UriKind.Relative))).ToList();
        await Until(() => asked.Count(request => request.IsCompleted) >= tooMany);

        var refused = await asked.First(request => request.IsCompleted);
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter.ShouldNotBeNull();
        (await refused.Content.ReadAsStringAsync()).ShouldContain("Too many requests at once");
        using (var live = await stranger.GetAsync(new Uri("/health/live", UriKind.Relative)))
            live.StatusCode.ShouldBe(HttpStatusCode.OK);
        await held.DisposeAsync();
        var answers = await Task.WhenAll(asked).WaitAsync(Bound);
        var turnedAway = 0;
        foreach (var answer in answers.Where(answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable))
            turnedAway += (await answer.Content.ReadAsStringAsync()).Contains("Too many requests at once", StringComparison.Ordinal) ? 1 : 0;
        turnedAway.ShouldBe(tooMany);
        using (var after = await program.GetAsync(new Uri("/api/audits", UriKind.Relative)))
            after.StatusCode.ShouldBe(HttpStatusCode.OK);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Should_leave_its_turn_to_others_while_it_waits_for_a_decision()
    {
        var host = new DashboardHost();
        host.Neighbours.OnRequest = _ => [];
        await host.InitializeAsync();
        using var producer = await host.ProgramAsync(Roles.Producer);

        var waiting = Enumerable.Range(0, RequestTurns.AtOnce + 5).Select(_ => producer.PostAsJsonAsync("/api/audits", Sample.Request(Guid.NewGuid()), AssayJson.Options)).ToList();
        await Until(() => host.Neighbours.Heard.Count >= waiting.Count);

        using (var list = await producer.GetAsync(new Uri("/api/audits", UriKind.Relative)))
            list.StatusCode.ShouldBe(HttpStatusCode.OK);
        waiting.Count(request => request.IsCompleted).ShouldBe(0, "nothing decides, and they wait for ten seconds");
        foreach (var answer in await Task.WhenAll(waiting).WaitAsync(Bound))
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.DisposeAsync();
    }

    static async Task Until(Func<bool> reached)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!reached())
            await Task.Delay(20, bound.Token);
    }

    [Fact]
    public async Task Should_let_pass_what_stays_open_and_what_stops_spending()
    {
        var host = new DashboardHost();
        await host.InitializeAsync();

        var free = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<TakesTurn>() is { DoesSo: false }).Select(endpoint => endpoint.RoutePattern.RawText).Distinct();

        free.ShouldBe(["/api/audits/{id:guid}/events", "/api/spending/halt", "/audits/events", "/spending/stop"], ignoreOrder: true);
        await host.DisposeAsync();
    }
}
