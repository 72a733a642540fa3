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
    List<Guid>? _webhooks;

    public Task AnnounceAsync(Guid auditId, int attempt, object end, CancellationToken cancellationToken) =>
        AddAsync(auditId, attempt, end.GetType().Name, new { @event = end.GetType().Name, auditId, attempt, data = end }, cancellationToken);

    /// <summary>An alert is announced under its own id, since an audit may cause several and some concern none.</summary>
    public Task AnnounceAlertAsync(AlertRaised alert, CancellationToken cancellationToken) =>
        AddAsync(alert.AlertId, 0, nameof(AlertRaised), new { @event = nameof(AlertRaised), auditId = alert.AuditId, attempt = alert.Attempt, data = alert }, cancellationToken);

    async Task AddAsync(Guid about, int attempt, string name, object body, CancellationToken cancellationToken)
    {
        // Asked once in a transaction, which may announce many ends.
        var webhooks = _webhooks ??= await db.Webhooks.Where(hook => hook.RemovedAt == null).Select(hook => hook.WebhookId).ToListAsync(cancellationToken);
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

/// <summary>
/// Delivers announcements: signed, tried again with growing pauses, given up after <see cref="MaxTries"/> and then visible as failed.
/// Webhooks take turns side by side, so that a receiver that does not answer costs the others nothing; one webhook's deliveries go one after another, oldest first.
/// </summary>
sealed partial class WebhookDelivery(IServiceScopeFactory scopes, IHttpClientFactory clients, WebhookSignal signal, TimeProvider time, ILogger<WebhookDelivery> logger) : BackgroundService
{
    public const int MaxTries = 8;
    public const string SignatureHeader = "Assay-Signature";
    const int PageSize = 20;
    const int MaxTurns = 16;

    /// <summary>How long a receiver may take to answer.</summary>
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>How long nobody else touches a delivery that is being sent: longer than it can take, so that a receiver gets it twice at once only from a process that stood still.</summary>
    internal static readonly TimeSpan ClaimedFor = 2 * Timeout;

    /// <summary>A turn begins no further delivery after this.</summary>
    static readonly TimeSpan Turn = TimeSpan.FromSeconds(2);

    /// <summary>What another instance has announced and could not deliver is found this late at most; its own announcements wake this one.</summary>
    internal static readonly TimeSpan Slowly = TimeSpan.FromSeconds(30);

    /// <summary>After a failure of our own, and before a next try that is due within less.</summary>
    internal static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    readonly Dictionary<Guid, Task> _turns = [];
    readonly Dictionary<Guid, DateTime> _lastTurnAt = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Soon;
            try
            {
                pause = PauseBefore(await BeginTurnsAsync(stoppingToken), time.GetUtcNow().UtcDateTime);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                RoundFailed(logger, exception);
            }

            await ((Task)signal.WaitAsync(pause, time, stoppingToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(_turns.Values);
    }

    /// <summary>How long to wait for a call: until the next try that is known of, but not for long.</summary>
    internal static TimeSpan PauseBefore(DateTime? nextTryAt, DateTime now) =>
        nextTryAt is { } next && next - now < Slowly ? (next - now > Soon ? next - now : Soon) : Slowly;

    /// <summary>Gives a turn to each webhook that has something due and none yet; those that had theirs longest ago first.</summary>
    /// <returns>When the next try is due that no turn will come upon.</returns>
    async Task<DateTime?> BeginTurnsAsync(CancellationToken stoppingToken)
    {
        foreach (var (webhook, turn) in _turns)
            if (turn.IsCompleted)
                _turns.Remove(webhook);
        await using var scope = scopes.CreateAsyncScope();
        var waiting = await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().WebhookDeliveries.Where(d => d.NextTryAt != null)
            .GroupBy(d => d.WebhookId).Select(webhook => new { WebhookId = webhook.Key, NextTryAt = webhook.Min(d => d.NextTryAt) }).ToListAsync(stoppingToken);
        var now = time.GetUtcNow().UtcDateTime;
        waiting.RemoveAll(webhook => _turns.ContainsKey(webhook.WebhookId));
        foreach (var webhook in waiting.Where(webhook => webhook.NextTryAt <= now)
                     .OrderBy(webhook => _lastTurnAt.GetValueOrDefault(webhook.WebhookId)).ThenBy(webhook => webhook.NextTryAt).Take(MaxTurns - _turns.Count))
        {
            _lastTurnAt[webhook.WebhookId] = now;
            _ = WakeAfterAsync(_turns[webhook.WebhookId] = TakeTurnAsync(webhook.WebhookId, stoppingToken));
        }

        // What is due and found no place is looked for again when a turn ends.
        return waiting.Where(webhook => webhook.NextTryAt > now).Min(webhook => webhook.NextTryAt);
    }

    async Task WakeAfterAsync(Task turn)
    {
        await turn;
        signal.Wake();
    }

    async Task TakeTurnAsync(Guid webhook, CancellationToken stoppingToken)
    {
        try
        {
            await DeliverDueAsync(webhook, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            RoundFailed(logger, exception);
            await Task.Delay(Soon, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task DeliverDueAsync(Guid webhookId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var begun = time.GetUtcNow().UtcDateTime;
        var due = await db.WebhookDeliveries.AsNoTracking().Where(d => d.WebhookId == webhookId && d.NextTryAt <= begun).OrderBy(d => d.NextTryAt).Take(PageSize).ToListAsync(cancellationToken);
        foreach (var delivery in due)
        {
            await DeliverAsync(db, delivery, cancellationToken);
            if (time.GetUtcNow().UtcDateTime - begun > Turn)
                return;
        }
    }

    async Task DeliverAsync(DashboardDbContext db, WebhookDeliveryRow delivery, CancellationToken cancellationToken)
    {
        var row = db.WebhookDeliveries.Where(d => d.WebhookId == delivery.WebhookId && d.AuditId == delivery.AuditId && d.Attempt == delivery.Attempt);
        var tries = delivery.Tries + 1;
        // Claimed before it is sent: a second instance, or this one after a crash, leaves it alone for a while.
        var claimedUntil = time.GetUtcNow().UtcDateTime + ClaimedFor;
        if (await row.Where(d => d.NextTryAt == delivery.NextTryAt && d.Tries == delivery.Tries)
                .ExecuteUpdateAsync(set => set.SetProperty(d => d.NextTryAt, claimedUntil).SetProperty(d => d.Tries, tries), cancellationToken) == 0)
            return;
        var webhook = await db.Webhooks.AsNoTracking().SingleOrDefaultAsync(hook => hook.WebhookId == delivery.WebhookId && hook.RemovedAt == null, cancellationToken);
        var error = webhook is null ? "the webhook was removed" : await SendAsync(webhook, delivery, cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        if (error is null)
        {
            await row.ExecuteUpdateAsync(set => set.SetProperty(d => d.LastError, (string?)null).SetProperty(d => d.DeliveredAt, now).SetProperty(d => d.NextTryAt, (DateTime?)null), cancellationToken);
            return;
        }

        DateTime? nextTryAt = webhook is null || tries >= MaxTries ? null : now + PauseAfter(tries);
        // Whoever tried it after this try's claim knows better.
        await row.Where(d => d.Tries == tries).ExecuteUpdateAsync(set => set.SetProperty(d => d.LastError, error).SetProperty(d => d.NextTryAt, nextTryAt), cancellationToken);
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
