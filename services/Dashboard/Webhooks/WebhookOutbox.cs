using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Database;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Webhooks;

/// <summary>Writes one announcement per webhook, audit and attempt, in the caller's transaction: however often an end is delivered, it is announced once.</summary>
sealed class WebhookOutbox(DashboardDbContext db, WebhookSignal signal, TimeProvider time)
{
    public Task AnnounceAsync(Guid auditId, int attempt, object end, CancellationToken cancellationToken) =>
        AddAsync(auditId, attempt, end.GetType().Name, new { @event = end.GetType().Name, auditId, attempt, data = end }, cancellationToken);

    /// <summary>An alert is announced under its own id, since an audit may cause several and some concern none.</summary>
    public Task AnnounceAlertAsync(AlertRaised alert, CancellationToken cancellationToken) =>
        AddAsync(alert.AlertId, 0, nameof(AlertRaised), new { @event = nameof(AlertRaised), auditId = alert.AuditId, attempt = alert.Attempt, data = alert }, cancellationToken);

    async Task AddAsync(Guid about, int attempt, string name, object body, CancellationToken cancellationToken)
    {
        var webhooks = await db.Webhooks.Where(hook => hook.RemovedAt == null).Select(hook => hook.WebhookId).ToListAsync(cancellationToken);
        if (webhooks.Count == 0)
            return;
        var known = await db.WebhookDeliveries.Where(d => d.AuditId == about && d.Attempt == attempt).Select(d => d.WebhookId).ToListAsync(cancellationToken);
        // Only what is committed can be delivered.
        db.Committed += signal.Wake;
        foreach (var webhook in webhooks.Except(known))
            db.WebhookDeliveries.Add(new WebhookDeliveryRow
            {
                WebhookId = webhook, AuditId = about, Attempt = attempt, Event = name, NextTryAt = time.GetUtcNow().UtcDateTime,
                Body = JsonSerializer.Serialize(body, AssayJson.Options),
            });
    }
}

/// <summary>Wakes the delivery of this process when something is to be announced.</summary>
sealed class WebhookSignal : Signal;

/// <summary>Delivers announcements: signed, tried again with growing pauses, given up after <see cref="MaxTries"/> and then visible as failed.</summary>
sealed partial class WebhookDelivery(IServiceScopeFactory scopes, IHttpClientFactory clients, WebhookSignal signal, TimeProvider time, ILogger<WebhookDelivery> logger) : BackgroundService
{
    public const int MaxTries = 8;
    public const string SignatureHeader = "Assay-Signature";
    const int PageSize = 20;

    /// <summary>What another instance has announced and could not deliver is found this late at most; its own announcements wake this one.</summary>
    internal static readonly TimeSpan Slowly = TimeSpan.FromSeconds(30);

    /// <summary>After a round that failed, and before a next try that is due within less.</summary>
    internal static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Soon;
            try
            {
                while (await DeliverDueAsync(stoppingToken) == PageSize)
                {
                }

                pause = PauseBefore(await NextTryAsync(stoppingToken), time.GetUtcNow().UtcDateTime);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                RoundFailed(logger, exception);
            }

            await ((Task)signal.WaitAsync(pause, time, stoppingToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>How long to wait for a call: until the next try that is known of, but not for long.</summary>
    internal static TimeSpan PauseBefore(DateTime? nextTryAt, DateTime now) =>
        nextTryAt is { } next && next - now < Slowly ? (next - now > Soon ? next - now : Soon) : Slowly;

    async Task<DateTime?> NextTryAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().WebhookDeliveries.Where(d => d.NextTryAt != null).MinAsync(d => d.NextTryAt, cancellationToken);
    }

    internal async Task<int> DeliverDueAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var now = time.GetUtcNow().UtcDateTime;
        var due = await db.WebhookDeliveries.Where(d => d.NextTryAt <= now).OrderBy(d => d.NextTryAt).Take(PageSize).ToListAsync(cancellationToken);
        foreach (var delivery in due)
        {
            // Claimed before it is sent: a second instance, or this one after a crash, leaves it alone for a while.
            var claimed = await db.WebhookDeliveries
                .Where(d => d.WebhookId == delivery.WebhookId && d.AuditId == delivery.AuditId && d.Attempt == delivery.Attempt && d.NextTryAt == delivery.NextTryAt)
                .ExecuteUpdateAsync(set => set.SetProperty(d => d.NextTryAt, now + PauseAfter(delivery.Tries + 1)).SetProperty(d => d.Tries, d => d.Tries + 1), cancellationToken);
            if (claimed == 0)
                continue;
            var webhook = await db.Webhooks.AsNoTracking().SingleOrDefaultAsync(hook => hook.WebhookId == delivery.WebhookId && hook.RemovedAt == null, cancellationToken);
            var error = webhook is null ? "the webhook was removed" : await SendAsync(webhook, delivery, cancellationToken);
            var settled = error is null || webhook is null || delivery.Tries + 1 >= MaxTries;
            await db.WebhookDeliveries
                .Where(d => d.WebhookId == delivery.WebhookId && d.AuditId == delivery.AuditId && d.Attempt == delivery.Attempt)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(d => d.LastError, error)
                    .SetProperty(d => d.DeliveredAt, error is null ? now : (DateTime?)null)
                    .SetProperty(d => d.NextTryAt, d => settled ? null : d.NextTryAt), cancellationToken);
        }

        return due.Count;
    }

    async Task<string?> SendAsync(WebhookRow webhook, WebhookDeliveryRow delivery, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes(delivery.Body);
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("Idempotency-Key", $"{delivery.AuditId}-{delivery.Attempt}");
        request.Headers.Add(SignatureHeader, "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(webhook.Secret), body)));
        try
        {
            using var response = await clients.CreateClient("webhooks").SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode ? null : $"answered {(int)response.StatusCode}";
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return exception.Message;
        }
    }

    /// <summary>4 s, 16 s, 64 s … at most an hour.</summary>
    internal static TimeSpan PauseAfter(int tries) => TimeSpan.FromSeconds(Math.Min(3600, Math.Pow(4, tries)));

    [LoggerMessage(LogLevel.Error, "Delivering webhooks failed; trying again in a moment")]
    static partial void RoundFailed(ILogger logger, Exception exception);
}
