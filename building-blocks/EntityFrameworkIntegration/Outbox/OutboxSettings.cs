using System.Data;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

internal sealed class OutboxSettings<TDbContext> : IEntityFrameworkOutboxConfigurator, IEntityFrameworkBusOutboxConfigurator
    where TDbContext : DbContext
{
    public TimeSpan DuplicateDetectionWindow { get; set; } = TimeSpan.FromMinutes(30);
    public TimeSpan QueryDelay { get; set; } = TimeSpan.FromSeconds(1);
    public TimeSpan ListeningQueryDelay { get; set; } = TimeSpan.FromSeconds(5);
    public int QueryMessageLimit { get; set; } = 1_000;
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromSeconds(30);
    public int MessageDeliveryLimit { get; set; } = 1_000;
    public TimeSpan MessageDeliveryTimeout { get; set; } = TimeSpan.FromSeconds(10);
    public int MaxDeliveryTries { get; set; } = 20;
    public int MaxMessageBytes { get; set; } = 64 << 20;
    public bool CleansInbox { get; private set; } = true;
    public bool Sweeps { get; private set; } = true;
    public bool ListensToOthers { get; private set; } = true;
    public IsolationLevel? Isolation { get; private set; }

    public IsolationLevel IsolationLevel
    {
        set => Isolation = value;
    }

    public void DisableInboxCleanupService() => CleansInbox = false;

    public void DisableListening() => ListensToOthers = false;

    public void DisableDeliveryService() => Sweeps = false;

    public void UseBusOutbox(Action<IEntityFrameworkBusOutboxConfigurator>? configure = null) => configure?.Invoke(this);

    public void UsePostgres()
    {
        // The provider decides at run time.
    }

    public void UseSqlite()
    {
        // The provider decides at run time.
    }
}
