using System.Net;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Api;

/// <summary>A program that did not get its answer sends the same again.</summary>
[Collection(nameof(OneHost))]
public sealed class RepeatingARequest(DashboardHost host)
{
    static async Task<HttpResponseMessage> SendAsync(HttpClient program, string path, object body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add(IdempotencyKeys.Header, key);
        return await program.SendAsync(request);
    }

    async Task<Guid> FailedAsync()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Failed(id));
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.Status == AuditStates.Failed), "it has failed");
        return id;
    }

    [Fact]
    public async Task Should_act_once_and_get_the_first_answer_again()
    {
        var (id, key) = (await FailedAsync(), $"retry {Guid.CreateVersion7()}");
        using var program = await host.ProgramAsync(Roles.Producer);
        using var first = await SendAsync(program, $"/api/audits/{id}/retry", new { reason = "once" }, key);
        first.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        // The next attempt fails too: without the key the same words would start a third.
        await host.SayAsync(Sample.Failed(id, 2, 200));
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.Attempt == 2 && a.Status == AuditStates.Failed), "attempt 2 has failed");

        using var second = await SendAsync(program, $"/api/audits/{id}/retry", new { reason = "once" }, key);
        second.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        second.Headers.GetValues(IdempotencyKeys.ReplayedHeader).ShouldBe(["true"]);
        second.Headers.Location.ShouldBe(first.Headers.Location);
        second.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await second.Content.ReadAsStringAsync()).ShouldBe(await first.Content.ReadAsStringAsync());
        host.Heard<RetryAudit>(retry => retry.AuditId == id).ShouldBe(1);
    }

    [Fact]
    public async Task Should_be_refused_when_the_key_comes_with_something_else()
    {
        var key = $"key {Guid.CreateVersion7()}";
        using var program = await host.ProgramAsync(Roles.Operator);
        using var first = await SendAsync(program, "/api/engines/claude/pause", new { reason = "one" }, key);
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var other = await SendAsync(program, "/api/engines/claude/pause", new { reason = "another" }, key);
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        other.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        using var long_ = await SendAsync(program, "/api/engines/claude/pause", new { reason = "one" }, new string('k', IdempotencyKeys.MaxLength + 1));
        long_.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Should_be_another_request_for_another_caller_and_act_after_a_refusal()
    {
        var key = $"key {Guid.CreateVersion7()}";
        using var program = await host.ProgramAsync(Roles.Operator);
        // Refused, so nothing was done: mended, it may come with the same key.
        using var refused = await SendAsync(program, "/api/engines/gemini/pause", new { reason = "" }, key);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var mended = await SendAsync(program, "/api/engines/gemini/pause", new { reason = "odd answers" }, key);
        mended.StatusCode.ShouldBe(HttpStatusCode.OK);
        mended.Headers.Contains(IdempotencyKeys.ReplayedHeader).ShouldBeFalse();
    }

    [Fact]
    public async Task Should_never_give_a_secret_twice()
    {
        var key = $"key {Guid.CreateVersion7()}";
        using var program = await host.ProgramAsync(Roles.Operator);
        using var first = await SendAsync(program, "/api/keys", new { role = "viewer", name = "once" }, key);
        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        var secret = (await DashboardHost.ReadAsync<CreatedKey>(first)).Secret;
        using var second = await SendAsync(program, "/api/keys", new { role = "viewer", name = "once" }, key);
        second.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await second.Content.ReadAsStringAsync()).ShouldContain(first.Headers.Location!.ToString());
        await host.EventuallyAsync(async db => await db.AccessKeys.CountAsync(row => row.Name == "once") == 1 && !await db.IdempotentAnswers.AnyAsync(row => row.Body != null && row.Body.Contains(secret)), "one key, its secret kept nowhere");
    }

    [Fact]
    public async Task Should_act_after_the_first_died_half_way_and_wait_while_it_may_be_at_work()
    {
        var (id, key) = (await FailedAsync(), $"dead {Guid.CreateVersion7()}");
        using var program = await host.ProgramAsync(Roles.Producer);
        using var first = await SendAsync(program, $"/api/audits/{id}/retry", new { reason = "once" }, key);
        first.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.EventuallyAsync(async db => await db.IdempotentAnswers.Where(row => row.Key == key).ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, (int?)null)) == 1, "as if it had not been answered");
        using var early = await SendAsync(program, $"/api/audits/{id}/retry", new { reason = "once" }, key);
        early.StatusCode.ShouldBe(HttpStatusCode.Conflict);

        await host.EventuallyAsync(async db => await db.IdempotentAnswers.Where(row => row.Key == key).ExecuteUpdateAsync(set => set.SetProperty(row => row.At, DateTime.UtcNow - IdempotencyKeys.Longest)) == 1, "as if that was long ago");
        using var late = await SendAsync(program, $"/api/audits/{id}/retry", new { reason = "once" }, key);
        late.StatusCode.ShouldNotBe(HttpStatusCode.Conflict);
        host.Heard<RetryAudit>(retry => retry.AuditId == id).ShouldBe(2);
    }
}
