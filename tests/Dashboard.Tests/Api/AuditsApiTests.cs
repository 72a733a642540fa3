using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Api;

[CollectionDefinition(nameof(OneHost))]
public sealed class OneHost : ICollectionFixture<DashboardHost>;

[Collection(nameof(OneHost))]
public sealed class RequestingAnAudit(DashboardHost host)
{
    const string Body = """{ "brand": { "name": "Anker", "domain": "anker.com" }, "queries": ["best earbuds for working out", "which headphones last longest"], "engines": ["chatgpt", "claude"], "ceilingUsd": 5 }""";

    static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    [Fact]
    public async Task Should_be_accepted_with_a_way_to_follow_it()
    {
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri("/api/audits", UriKind.Relative), Json(Body));
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var ticket = await DashboardHost.ReadAsync<AuditTicket>(response);
        response.Headers.Location!.ToString().ShouldBe($"/api/audits/{ticket.AuditId}");
        var status = await client.GetFromJsonAsync<AuditStatus>(new Uri(ticket.Links.Self, UriKind.Relative), Assay.Contracts.Internal.AssayJson.Options);
        status!.Brand.ShouldBe("Anker");
        status.RequestedBy.ShouldBe("test producer");
        host.Heard<RequestAudit>(r => r.AuditId == ticket.AuditId).ShouldBe(1);
    }

    [Fact]
    public async Task Should_take_its_id_from_the_idempotency_key()
    {
        using var client = await host.ProgramAsync(Roles.Producer);
        var id = Guid.CreateVersion7();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/audits") { Content = Json(Body) };
        request.Headers.Add("Idempotency-Key", id.ToString());
        using var response = await client.SendAsync(request);
        (await DashboardHost.ReadAsync<AuditTicket>(response)).AuditId.ShouldBe(id);
    }

    [Fact]
    public async Task Should_name_everything_that_is_wrong()
    {
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri("/api/audits", UriKind.Relative), Json("""{ "brand": { "name": "" }, "engines": [], "ceilingUsd": -1 }"""));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        problem.RootElement.GetProperty("errors").GetArrayLength().ShouldBeGreaterThanOrEqualTo(4);
        problem.RootElement.GetProperty("reason").GetString().ShouldBe("InvalidRequest");
    }

    [Fact]
    public async Task Should_point_to_the_result_that_exists()
    {
        var existing = Guid.CreateVersion7();
        var id = Guid.CreateVersion7();
        var before = host.Neighbours.OnRequest;
        host.Neighbours.OnRequest = r => r.AuditId == id ? [Sample.Registered(r.AuditId, request: r), Sample.Rejected(r.AuditId, RejectionReasons.AlreadyCompleted, existing: existing)] : before(r);
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri("/api/audits", UriKind.Relative), Json(Body.Replace("{ \"brand\"", $"{{ \"auditId\": \"{id}\", \"brand\"", StringComparison.Ordinal)));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.Location!.ToString().ShouldBe($"/api/audits/{existing}");
        var ticket = await DashboardHost.ReadAsync<AuditTicket>(response);
        ticket.Reused.ShouldBeTrue();
        ticket.ExistingAuditId.ShouldBe(existing);
    }

    [Theory]
    [InlineData(RejectionReasons.AlreadyRunning, HttpStatusCode.Conflict)]
    [InlineData(RejectionReasons.CeilingTooLow, HttpStatusCode.UnprocessableEntity)]
    public async Task Should_tell_why_it_is_refused(string reason, HttpStatusCode expected)
    {
        var id = Guid.CreateVersion7();
        var before = host.Neighbours.OnRequest;
        host.Neighbours.OnRequest = r => r.AuditId == id ? [Sample.Rejected(r.AuditId, reason)] : before(r);
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri("/api/audits", UriKind.Relative), Json(Body.Replace("{ \"brand\"", $"{{ \"auditId\": \"{id}\", \"brand\"", StringComparison.Ordinal)));
        response.StatusCode.ShouldBe(expected);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        problem.RootElement.GetProperty("reason").GetString().ShouldBe(reason);
    }

    [Theory]
    [InlineData(Roles.Viewer, HttpStatusCode.Forbidden)]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    public async Task Should_need_a_producer(string? role, HttpStatusCode expected)
    {
        using var client = role is null ? host.Stranger() : await host.ProgramAsync(role);
        using var response = await client.PostAsync(new Uri("/api/audits", UriKind.Relative), Json(Body));
        response.StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task Should_not_be_possible_with_a_cookie_alone()
    {
        using var person = await host.PersonAsync();
        using var response = await person.PostAsync(new Uri("/api/audits", UriKind.Relative), Json(Body));
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Should_give_a_quote()
    {
        using var client = await host.ProgramAsync(Roles.Viewer);
        using var response = await client.PostAsync(new Uri("/api/audits/quote", UriKind.Relative), Json(Body));
        (await DashboardHost.ReadAsync<AuditQuoted>(response)).Calls.ShouldBe(44);
    }
}

[Collection(nameof(OneHost))]
public sealed class AManifest(DashboardHost host)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Should_be_answered_once_by_whatever_arrives_last(int last)
    {
        var id = Guid.CreateVersion7();
        var score = Guid.CreateVersion7();
        var batch = Guid.CreateVersion7();
        List<object> pieces =
        [
            Sample.Described(id, batch, "chatgpt"), Sample.Scored(id, score), Sample.Insights(id, 3), Sample.Manifest(id, score, [batch], answers: 2),
        ];
        await host.SayAsync(Sample.Registered(id), Sample.Insights(id, 1), Sample.Insights(id, 2));
        var lastPiece = pieces[last];
        pieces.RemoveAt(last);
        await host.SayAsync([.. pieces]);
        await host.EventuallyAsync(async db => await db.InsightLayers.CountAsync(l => l.AuditId == id) >= 2, "the first pieces are in");
        host.Heard<ReportPublished>(r => r.AuditId == id).ShouldBe(0);
        await host.SayAsync(lastPiece);
        await host.EventuallyAsync(async db => await db.Manifests.AnyAsync(m => m.AuditId == id && m.PublishedAt != null), "the manifest is complete");
        await host.EventuallyAsync(_ => Task.FromResult(host.Heard<ReportPublished>(r => r.AuditId == id) == 1), "the saga heard it");
    }

    [Fact]
    public async Task Should_be_answered_again_when_asked_again()
    {
        var id = await host.CompletedAuditAsync();
        var score = Guid.CreateVersion7();
        await host.SayAsync(Sample.Manifest(id, score, []));
        await host.EventuallyAsync(_ => Task.FromResult(host.Heard<ReportPublished>(r => r.AuditId == id) == 2), "the saga heard it twice");
    }
}

[Collection(nameof(OneHost))]
public sealed class ACompletedAudit(DashboardHost host)
{
    [Fact]
    public async Task Should_give_its_report_with_texts()
    {
        var id = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);
        using var report = JsonDocument.Parse(await client.GetStringAsync(new Uri($"/api/audits/{id}/report", UriKind.Relative)));
        var answer = report.RootElement.GetProperty("answers")[0];
        var mention = answer.GetProperty("mentions")[0];
        answer.GetProperty("text").GetString()![mention.GetProperty("start").GetInt32()..mention.GetProperty("end").GetInt32()].ShouldBe("Anker");
        report.RootElement.GetProperty("status").GetString().ShouldBe("Completed");
        report.RootElement.GetProperty("coverage").GetProperty("planned").GetInt32().ShouldBe(4);
    }

    [Fact]
    public async Task Should_stream_its_state_and_end()
    {
        var id = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);
        var events = await client.GetStringAsync(new Uri($"/api/audits/{id}/events", UriKind.Relative));
        events.ShouldContain("event: status\ndata: {");
        events.ShouldEndWith("event: end\ndata: {}\n\n");
    }

    [Fact]
    public async Task Should_not_be_sent_again_unchanged()
    {
        var id = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);
        using var first = await client.GetAsync(new Uri($"/api/audits/{id}", UriKind.Relative));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/audits/{id}");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.SendAsync(request);
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task Should_not_be_cancellable()
    {
        var id = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri($"/api/audits/{id}/cancel", UriKind.Relative), JsonContent.Create(new { reason = "test" }));
        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Theory]
    [InlineData("html", "text/html")]
    [InlineData("csv", "text/csv")]
    [InlineData("json", "application/json")]
    public async Task Should_be_exported(string format, string type)
    {
        var id = await host.CompletedAuditAsync();
        using var client = await host.ProgramAsync(Roles.Viewer);
        using var response = await client.GetAsync(new Uri($"/api/audits/{id}/report?format={format}", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe(type);
        (await response.Content.ReadAsStringAsync()).ShouldContain("Anker");
    }
}

[Collection(nameof(OneHost))]
public sealed class ALiveAudit(DashboardHost host)
{
    [Fact]
    public async Task Should_be_cancelled()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id));
        await host.EventuallyAsync(async db => await db.Audits.AnyAsync(a => a.AuditId == id && a.AcceptedAttempt == 1), "it is accepted");
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri($"/api/audits/{id}/cancel", UriKind.Relative), JsonContent.Create(new { reason = "enough" }));
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await DashboardHost.ReadAsync<AuditTicket>(response)).Status.ShouldBe(AuditStates.Cancelled);
    }

    [Fact]
    public async Task Should_be_retried_after_it_failed()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Failed(id));
        await host.EventuallyAsync(async db => await db.Audits.AnyAsync(a => a.AuditId == id && a.Status == AuditStates.Failed), "it has failed");
        using var client = await host.ProgramAsync(Roles.Producer);
        using var response = await client.PostAsync(new Uri($"/api/audits/{id}/retry", UriKind.Relative), JsonContent.Create(new { reason = "again" }));
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        host.Heard<RetryAudit>(r => r.AuditId == id && r.FromAttempt == 1).ShouldBe(1);
    }
}

[Collection(nameof(OneHost))]
public sealed class Spending(DashboardHost host)
{
    [Fact]
    public async Task Should_be_halted_and_resumed_by_an_operator()
    {
        using var client = await host.ProgramAsync(Roles.Operator);
        using var halt = await client.PostAsync(new Uri("/api/spending/halt", UriKind.Relative), JsonContent.Create(new { reason = "test" }));
        halt.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var status = JsonDocument.Parse(await client.GetStringAsync(new Uri("/api/spending", UriKind.Relative)));
        status.RootElement.GetProperty("halted").GetBoolean().ShouldBeTrue();
        using var resume = await client.PostAsync(new Uri("/api/spending/resume", UriKind.Relative), JsonContent.Create(new { reason = "test" }));
        resume.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Should_not_be_halted_by_a_producer()
    {
        using var client = await host.ProgramAsync(Roles.Producer);
        using var halt = await client.PostAsync(new Uri("/api/spending/halt", UriKind.Relative), JsonContent.Create(new { reason = "test" }));
        halt.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }
}
