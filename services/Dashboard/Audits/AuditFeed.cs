using System.Threading.Channels;
using Assay.Dashboard.Database;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Audits;

/// <summary>
/// Tells listeners which audits changed. One query a moment over what changed lately serves every listener of this process, and sees what
/// another instance projected; without listeners nothing is asked.
/// </summary>
sealed partial class AuditFeed(IServiceScopeFactory scopes, TimeProvider time, ILogger<AuditFeed> logger) : BackgroundService
{
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>A change is stamped before its transaction commits: look back this far, and tell by version what is new.</summary>
    static readonly TimeSpan LookBack = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly HashSet<Subscription> subscriptions = [];
    readonly Dictionary<Guid, int> seen = [];

    /// <summary>Listens to one audit, or to all of them. A missed or delayed notice is made up for by the listener's own slow re-read.</summary>
    public Subscription Subscribe(Guid? auditId)
    {
        var subscription = new Subscription(this, auditId);
        lock (gate)
            subscriptions.Add(subscription);
        return subscription;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Poll, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested || !HasListeners())
                continue;
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LookFailed(logger, exception);
                await Task.Delay(TimeSpan.FromSeconds(2), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var since = time.GetUtcNow().UtcDateTime - LookBack;
        var changed = await db.Audits.AsNoTracking().Where(audit => audit.UpdatedAt >= since)
            .Select(audit => new { audit.AuditId, audit.Version }).ToListAsync(cancellationToken);
        lock (gate)
        {
            var fresh = changed.Where(audit => seen.GetValueOrDefault(audit.AuditId) != audit.Version).ToList();
            seen.Clear();
            foreach (var audit in changed)
                seen[audit.AuditId] = audit.Version;
            if (fresh.Count == 0)
                return;
            var ids = fresh.Select(audit => audit.AuditId).ToHashSet();
            foreach (var subscription in subscriptions.Where(s => s.AuditId is not { } id || ids.Contains(id)))
                subscription.Notify();
        }
    }

    bool HasListeners()
    {
        lock (gate)
            return subscriptions.Count > 0;
    }

    void Remove(Subscription subscription)
    {
        lock (gate)
            subscriptions.Remove(subscription);
    }

    [LoggerMessage(LogLevel.Warning, "Looking for changed audits failed; live pages are behind until it works again")]
    static partial void LookFailed(ILogger logger, Exception exception);

    /// <summary>One listener; several changes between two waits are one notice.</summary>
    public sealed class Subscription(AuditFeed feed, Guid? auditId) : IDisposable
    {
        readonly Channel<bool> notices = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public Guid? AuditId => auditId;

        public void Notify() => notices.Writer.TryWrite(true);

        /// <summary>True when something changed, false when the time is up.</summary>
        public async Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(atMost);
            try
            {
                await notices.Reader.ReadAsync(limit.Token);
                return true;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }

        public void Dispose() => feed.Remove(this);
    }
}
