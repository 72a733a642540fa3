using System.Net;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Database;
using Assay.Dashboard.Tests.Browser;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Dashboard.Tests.Operations;

/// <summary>Every endpoint by which somebody acts, by key or on a page, and what it leaves in the record.</summary>
public sealed class TheOperatorsTrail : IAsyncLifetime
{
    readonly DashboardHost host = new() { Faulted = new PlantedFaults(), AllowPrivateWebhooks = true };

    /// <summary>What acts on nobody's audit, money or access.</summary>
    static readonly string[] NoAction = ["POST /login", "POST /logout", "POST /audits/new", "POST /audits/quote", "POST /audits/{id:guid}/rederive", "POST /api/audits/", "POST /api/audits/quote", "POST /api/audits/{id:guid}/rederive"];

    static readonly Act[] Acts =
    [
        new("POST /api/audits/{id:guid}/cancel", "cancel", Audit.Live), new("POST /audits/{id:guid}/cancel", "cancel", Audit.Live),
        new("POST /api/audits/{id:guid}/retry", "retry", Audit.Failed), new("POST /audits/{id:guid}/retry", "retry", Audit.Failed, ("fromAttempt", "1")),
        new("DELETE /api/audits/{id:guid}", "delete", Audit.Failed), new("POST /audits/{id:guid}/delete", "delete", Audit.Failed),
        new("POST /api/audits/bulk", "bulk retry", Audit.Failed, ("action", "retry")), new("POST /audits/bulk", "bulk retry", Audit.Failed, ("action", "retry"), ("q", "{id}"), ("audits", "{id}")),
        new("POST /audits/{id:guid}/share", "share", Audit.Failed), new("POST /audits/{id:guid}/share/{linkId:guid}/revoke", "revoke share", Audit.Failed),
        new("POST /api/spending/halt", "halt"), new("POST /spending/stop", "halt"), new("POST /api/spending/resume", "resume"), new("POST /spending/resume", "resume"), new("POST /api/spending/after-restore", "after-restore"),
        new("POST /api/engines/{name}/pause", "pause engine"), new("POST /operations/engines/{name}/pause", "pause engine"),
        new("POST /api/engines/{name}/resume", "resume engine"), new("POST /operations/engines/{name}/resume", "resume engine"),
        new("POST /api/engines/{name}/limits", "set limits"), new("POST /operations/engines/{name}/limits", "set limits", Audit.None, ("maxConcurrency", "4")),
        new("POST /api/operations/services/{service}/release", "release parked"), new("POST /operations/services/{service}/release", "release parked"),
        new("POST /api/operations/messages/send-again", "send again", Audit.None, ("queue", "project-audit_error"), ("key", "first")),
        new("POST /operations/messages/send-again", "send again", Audit.None, ("queue", "project-audit_error"), ("key", "first"), ("count", "1")),
        new("POST /api/operations/read-model/rebuild", "rebuild read model"), new("POST /operations/read-model/rebuild", "rebuild read model"), new("POST /api/integrity", "compare and repair"),
        new("POST /api/keys/", "create key", Audit.None, ("role", "viewer"), ("name", "somebody")), new("DELETE /api/keys/{id:guid}", "revoke key"),
        new("POST /settings/keys", "create key", Audit.None, ("role", "viewer"), ("name", "somebody")), new("POST /settings/keys/{id:guid}/revoke", "revoke key"),
        new("POST /settings/webhooks", "add webhook", Audit.None, ("url", "http://127.0.0.1:9/hook")), new("POST /settings/webhooks/{id:guid}/remove", "remove webhook"),
    ];

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public void Should_know_every_endpoint_that_acts() =>
        host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Where(method => method is not ("GET" or "HEAD")).Select(method => $"{method} {endpoint.RoutePattern.RawText}"))
            .Distinct().Except(NoAction).Order(StringComparer.Ordinal).ShouldBe(Acts.Select(act => act.Endpoint).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Should_keep_who_did_what_why_and_when()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var person = await host.PersonAsync();
        var token = APage.TokenField().Match(await person.GetStringAsync(new Uri("/spending/stop", UriKind.Relative))).Groups["value"].Value;
        var key = (await host.Services.GetRequiredService<IKeyStore>().CreateKeyAsync(Roles.Viewer, "to be revoked")).KeyId;
        foreach (var (act, number) in Acts.Select((act, number) => (act, number)))
        {
            var reason = $"because of {number}";
            var audit = await AuditAsync(act.Needs);
            var before = DateTime.UtcNow.AddSeconds(-1);
            using var leaving = new CancellationTokenSource();
            using var request = act.Request(audit, key, reason, token);
            // The record is written before the action leaves: nobody needs to answer for it.
            var sending = (act.IsOfApi ? program : person).SendAsync(request, leaving.Token);
            OperatorActionRow? kept = null;
            await host.EventuallyAsync(async db => (kept = await db.OperatorActions.AsNoTracking().FirstOrDefaultAsync(row => row.Reason == reason)) is not null, $"{act.Endpoint} is kept with its reason");
            (kept!.Action, kept.Who, kept.At > before).ShouldBe((act.Action, act.IsOfApi ? "test operator" : "test person", true), act.Endpoint);
            if (act.Needs != Audit.None)
                kept.AuditId.ShouldBe(audit, act.Endpoint);
            await leaving.CancelAsync();
            await sending.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        // And an operator reads it all, page by page.
        var page = await person.GetStringAsync(new Uri("/operations", UriKind.Relative));
        page.ShouldContain($"because of {Acts.Length - 1}");
        page.ShouldContain("compare and repair");
    }

    /// <summary>An emergency stop is not held up for a word; over REST a reason may be left out where the call has no body, or has one anyway that says what for.</summary>
    static readonly string[] MayGoWithout =
    [
        "POST /spending/stop", "POST /api/audits/{id:guid}/cancel", "POST /api/audits/{id:guid}/retry", "POST /api/integrity", "POST /api/keys/", "DELETE /api/keys/{id:guid}",
    ];

    [Fact]
    public async Task Should_do_nothing_without_a_reason()
    {
        using var program = await host.ProgramAsync(Roles.Operator);
        using var person = await host.PersonAsync();
        var token = APage.TokenField().Match(await person.GetStringAsync(new Uri("/spending/stop", UriKind.Relative))).Groups["value"].Value;
        foreach (var act in Acts.Where(act => !MayGoWithout.Contains(act.Endpoint, StringComparer.Ordinal)))
        {
            using var request = act.Request(await AuditAsync(act.Needs), Guid.CreateVersion7(), " ", token);
            using var response = await (act.IsOfApi ? program : person).SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, act.Endpoint);
        }

        await host.EventuallyAsync(async db => !await db.OperatorActions.AnyAsync(), "nothing was kept, since nothing was done");
    }

    async Task<Guid> AuditAsync(Audit state)
    {
        var id = Guid.CreateVersion7();
        if (state == Audit.None)
            return id;
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id));
        if (state == Audit.Failed)
            await host.SayAsync(Sample.Failed(id));
        var status = state == Audit.Failed ? AuditStates.Failed : AuditStates.Admitting;
        await host.EventuallyAsync(db => db.Audits.AnyAsync(row => row.AuditId == id && row.AcceptedAttempt == 1 && row.Status == status), $"{id} is {status}");
        return id;
    }

    enum Audit
    {
        None,
        Live,
        Failed,
    }

    sealed record Act(string Endpoint, string Action, Audit Needs = Audit.None, params (string Name, string Value)[] Fields)
    {
        public bool IsOfApi => Endpoint.Contains(" /api/", StringComparison.Ordinal);

        public HttpRequestMessage Request(Guid audit, Guid key, string reason, string token)
        {
            var parts = Endpoint.Split(' ');
            var path = parts[1].TrimEnd('/').Replace("{id:guid}", (Needs == Audit.None ? key : audit).ToString(), StringComparison.Ordinal).Replace("{linkId:guid}", Guid.CreateVersion7().ToString(), StringComparison.Ordinal)
                .Replace("{name}", "chatgpt", StringComparison.Ordinal).Replace("{service}", "Dashboard", StringComparison.Ordinal);
            var request = new HttpRequestMessage(new HttpMethod(parts[0]), new Uri(parts[0] == "DELETE" ? $"{path}?reason={Uri.EscapeDataString(reason)}" : path, UriKind.Relative));
            var fields = Fields.Select(field => KeyValuePair.Create(field.Name, field.Value.Replace("{id}", audit.ToString(), StringComparison.Ordinal)));
            if (parts[0] == "DELETE")
                return request;
            if (!IsOfApi)
                request.Content = new FormUrlEncodedContent([.. fields, new("reason", reason), new("__RequestVerificationToken", token)]);
            else
            {
                Dictionary<string, object> body = fields.ToDictionary(field => field.Key, field => (object)field.Value, StringComparer.Ordinal);
                body["reason"] = reason;
                if (body.ContainsKey("action"))
                    body["filter"] = new { q = audit.ToString() };
                if (path.EndsWith("/limits", StringComparison.Ordinal))
                    body["maxConcurrency"] = 4;
                request.Content = JsonContent.Create(body);
            }

            return request;
        }
    }
}
