using System.Net;
using System.Net.Http.Json;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Engines;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Engines;

public sealed class WhenAnOperatorSteersAnEngine(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_pause_and_resume_it_and_keep_who_why_and_when()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var without = await program.PostAsJsonAsync(At("claude/pause"), new ReasonBody(null));
        without.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var paused = await program.PostAsJsonAsync(At("claude/pause"), new ReasonBody("its answers are odd"));
        (await DashboardHost.ReadAsync<EngineInfo>(paused)).State.ShouldBe("paused");
        using var person = await host.PersonAsync();
        (await person.GetStringAsync(new Uri("/operations", UriKind.Relative))).ShouldContain("its answers are odd");
        using var resumed = await program.PostAsJsonAsync(At("claude/resume"), new ReasonBody("mended"));
        (await DashboardHost.ReadAsync<EngineInfo>(resumed)).State.ShouldBe("ready");
        await host.EventuallyAsync(db => db.OperatorActions.AnyAsync(a => a.Action == "pause engine" && a.Detail == "claude" && a.Reason == "its answers are odd" && a.Who == "test operator"), "the pause is kept");
        await host.EventuallyAsync(db => db.OperatorActions.AnyAsync(a => a.Action == "resume engine" && a.Reason == "mended"), "the resumption is kept");
    }

    [Fact]
    public async Task Should_keep_the_reason_of_a_form_that_comes_back()
    {
        using var person = await host.PersonAsync();
        var limits = new Uri("/operations/engines/chatgpt/limits", UriKind.Relative);
        var token = APage.TokenField().Match(await person.GetStringAsync(limits)).Groups["value"].Value;
        using var refused = await person.PostAsync(limits, new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("maxConcurrency", "many"), new("reason", "the provider complained")]));
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var page = await refused.Content.ReadAsStringAsync();
        page.ShouldContain("name=\"reason\" value=\"the provider complained\"");
        page.ShouldContain("value=\"many\"");
    }

    [Fact]
    public async Task Should_set_its_limits_and_refuse_what_is_none()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var zero = await program.PostAsJsonAsync(At("chatgpt/limits"), new LimitsBody(0, null, null, "none"));
        zero.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var set = await program.PostAsJsonAsync(At("chatgpt/limits"), new LimitsBody(3, 60, null, "the provider complained"));
        var engine = await DashboardHost.ReadAsync<EngineInfo>(set);
        (engine.MaxConcurrency, engine.RequestsPerMinute, engine.TokensPerMinute).ShouldBe((3, 60, null));
        engine.LimitsSetBy.ShouldBe("test operator");
        await host.EventuallyAsync(db => db.OperatorActions.AnyAsync(a => a.Action == "set limits" && a.Detail!.StartsWith("chatgpt: at once 3")), "it is kept");
    }

    [Fact]
    public async Task Should_say_that_nothing_was_changed_about_an_unknown_engine()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var refused = await program.PostAsJsonAsync(At("nobody/pause"), new ReasonBody("why not"));
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await refused.Content.ReadAsStringAsync()).ShouldContain("There is no engine nobody.");
    }

    [Fact]
    public async Task Should_let_only_operators_do_it()
    {
        using var producer = await host.ProgramAsync(Roles.Producer);
        using var refused = await producer.PostAsJsonAsync(At("claude/pause"), new ReasonBody("why not"));
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var viewer = await host.PersonAsync(Roles.Viewer);
        (await viewer.GetStringAsync(new Uri("/operations", UriKind.Relative))).ShouldNotContain("/operations/engines/");
        using var page = await viewer.GetAsync(new Uri("/operations/engines/claude/limits", UriKind.Relative));
        page.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    static Uri At(string path) => new("/api/engines/" + path, UriKind.Relative);
}
