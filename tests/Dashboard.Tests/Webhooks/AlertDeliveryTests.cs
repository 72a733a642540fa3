using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Tests.Hosting;
using Assay.Dashboard.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Assay.Dashboard.Tests.Webhooks;

/// <summary>From the saga's alert to a person's receiver, over real HTTP.</summary>
public sealed partial class When_an_alert_is_raised
{
    sealed record Delivery(string Id, string Signature, byte[] Body);

    [Fact]
    public async Task Should_reach_a_webhook_signed_and_again_until_it_is_taken_under_one_id()
    {
        var received = new ConcurrentQueue<Delivery>();
        await using var listener = await ListenAsync(received, refuseFirst: 1);
        var host = new DashboardHost { AllowPrivateWebhooks = true };
        await host.InitializeAsync();
        try
        {
            var secret = await AddWebhookAsync(host, listener.Urls.Single() + "/assay");
            var audit = Guid.CreateVersion7();
            var alert = Alert(audit);
            // Raised twice, as two instances of the saga may do.
            await host.SayAsync(alert, alert);

            await host.EventuallyAsync(db => Task.FromResult(db.WebhookDeliveries.Any(d => d.DeliveredAt != null)), "the alert is delivered");
            received.Count.ShouldBe(2, "refused once, taken once");
            received.Select(delivery => delivery.Id).Distinct().ShouldHaveSingleItem();
            foreach (var delivery in received)
            {
                delivery.Signature.ShouldBe("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), delivery.Body)));
                var body = JsonDocument.Parse(delivery.Body).RootElement;
                body.GetProperty("event").GetString().ShouldBe("AlertRaised");
                body.GetProperty("auditId").GetGuid().ShouldBe(audit);
                body.GetProperty("data").GetProperty("kind").GetString().ShouldBe(AlertKinds.WatchRescue);
                body.GetProperty("data").GetProperty("detail").GetString().ShouldBe(alert.Detail);
            }
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Should_reach_the_webhook_when_it_is_about_no_audit()
    {
        var received = new ConcurrentQueue<Delivery>();
        await using var listener = await ListenAsync(received, refuseFirst: 0);
        var host = new DashboardHost { AllowPrivateWebhooks = true };
        await host.InitializeAsync();
        try
        {
            await AddWebhookAsync(host, listener.Urls.Single());
            await host.SayAsync(Alert(null) with { Kind = AlertKinds.ManyRefusals });
            await host.EventuallyAsync(db => Task.FromResult(db.WebhookDeliveries.Any(d => d.DeliveredAt != null)), "the alert is delivered");
            JsonDocument.Parse(received.ShouldHaveSingleItem().Body).RootElement.GetProperty("auditId").ValueKind.ShouldBe(JsonValueKind.Null);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Should_reach_a_receiver_beside_one_that_never_answers_and_for_which_much_waits()
    {
        var (unanswered, received) = (new ConcurrentQueue<Delivery>(), new ConcurrentQueue<Delivery>());
        await using var silent = await ListenAsync(unanswered, refuseFirst: 0, answers: false);
        await using var healthy = await ListenAsync(received, refuseFirst: 0);
        var host = new DashboardHost { AllowPrivateWebhooks = true };
        await host.InitializeAsync();
        try
        {
            await AddWebhookAsync(host, silent.Urls.Single());
            var many = Enumerable.Range(0, 45).Select(_ => Alert(null)).ToArray();
            await host.SayAsync([.. many]);
            await host.EventuallyAsync(db => Task.FromResult(db.WebhookDeliveries.Count() == many.Length && !unanswered.IsEmpty), "the silent receiver was called");

            await AddWebhookAsync(host, healthy.Urls.Single());
            var few = Enumerable.Range(0, 3).Select(_ => Alert(null)).ToArray();
            foreach (var alert in few)
            {
                await host.SayAsync(alert);
                await host.EventuallyAsync(db => Task.FromResult(db.WebhookDeliveries.Any(d => d.AuditId == alert.AlertId && d.DeliveredAt != null)), "the healthy receiver heard it");
            }

            received.Select(delivery => delivery.Id).ShouldBe(few.Select(alert => $"{alert.AlertId}-0"));
            unanswered.Count.ShouldBeLessThan(many.Length / 2, "the silent one is still at its first deliveries");
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Should_be_nobody_elses_to_deliver_for_as_long_as_the_receiver_may_take()
    {
        var received = new ConcurrentQueue<Delivery>();
        await using var silent = await ListenAsync(received, refuseFirst: 0, answers: false);
        var host = new DashboardHost { AllowPrivateWebhooks = true };
        await host.InitializeAsync();
        try
        {
            await AddWebhookAsync(host, silent.Urls.Single());
            await host.SayAsync(Alert(null));
            await host.EventuallyAsync(_ => Task.FromResult(!received.IsEmpty), "the receiver was called");
            var calledBefore = DateTime.UtcNow;
            await host.EventuallyAsync(db => Task.FromResult(db.WebhookDeliveries.Single() is { Tries: 1 } delivery && delivery.NextTryAt > calledBefore + WebhookDelivery.Timeout), "another Dashboard leaves it alone until this one has given up");
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Should_not_be_led_into_the_network_unless_an_operator_allows_it()
    {
        var host = new DashboardHost();
        await host.InitializeAsync();
        try
        {
            (await PostWebhookAsync(host, "http://127.0.0.1:9/assay")).ShouldContain("not a public address");
            await host.EventuallyAsync(db => Task.FromResult(!db.Webhooks.Any()), "no webhook was added");
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    static AlertRaised Alert(Guid? audit) => new()
    {
        AuditId = audit, Attempt = 1, AlertId = Guid.CreateVersion7(), Kind = AlertKinds.WatchRescue, Subject = "DeadlinePassed",
        Detail = "The watch ended it; its own timers should have.", RaisedAt = Sample.Start,
    };

    static async Task<string> AddWebhookAsync(DashboardHost host, string url) =>
        Secret().Match(await PostWebhookAsync(host, url)).Groups["secret"].Value is { Length: > 0 } secret ? secret : throw new InvalidOperationException("The page did not show the webhook's secret.");

    static async Task<string> PostWebhookAsync(DashboardHost host, string url)
    {
        using var person = await host.PersonAsync();
        var page = await person.GetStringAsync(new Uri("/settings", UriKind.Relative));
        using var response = await person.PostAsync(new Uri("/settings/webhooks", UriKind.Relative), new FormUrlEncodedContent(
            [new("__RequestVerificationToken", Token().Match(page).Groups["value"].Value), new("url", url), new("reason", "the receiver of a test")]));
        return await response.Content.ReadAsStringAsync();
    }

    static async Task<WebApplication> ListenAsync(ConcurrentQueue<Delivery> received, int refuseFirst, bool answers = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.Enqueue(new(request.Headers["Idempotency-Key"].ToString(), request.Headers["Assay-Signature"].ToString(), body.ToArray()));
            if (!answers)
                await Task.Delay(Timeout.Infinite, request.HttpContext.RequestAborted);
            return received.Count <= refuseFirst ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : Results.Ok();
        });
        await app.StartAsync();
        return app;
    }

    [GeneratedRegex("""name="__RequestVerificationToken"[^>]*value="(?<value>[^"]+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();

    [GeneratedRegex("""signing secret</h2><p class="mono">(?<secret>[^<]+)<""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Secret();
}
