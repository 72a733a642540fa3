using System.Data;

namespace MassTransit;

/// <summary>Settings of one DbContext's inbox, outbox, scheduler and sweeper.</summary>
public interface IEntityFrameworkOutboxConfigurator
{
    /// <summary>How long a consumed message is remembered, so that a duplicate of it is dropped; default 30 minutes. Consumers must be idempotent by their own keys beyond it.</summary>
    TimeSpan DuplicateDetectionWindow { set; }

    /// <summary>The longest pause between two looks of the sweeper while other processes' announcements do not reach it (SQLite, a lost connection, a pooler); default 1 s. It is woken earlier for what this process wrote.</summary>
    TimeSpan QueryDelay { set; }

    /// <summary>The longest pause between two looks of the sweeper while it hears other processes (PostgreSQL, LISTEN and NOTIFY); default 5 s. Only what a killed process left waits for it.</summary>
    TimeSpan ListeningQueryDelay { set; }

    /// <summary>Opens no listening connection: the sweeper looks every <see cref="QueryDelay"/>. A pooler in transaction mode is noticed without it.</summary>
    void DisableListening();

    /// <summary>Rows the sweeper claims at once; default 1 000.</summary>
    int QueryMessageLimit { set; }

    /// <summary>How long one statement of the sweeper may take; default 30 s.</summary>
    TimeSpan QueryTimeout { set; }

    /// <summary>Messages that are sent at the same time before their confirms are awaited; default 1 000.</summary>
    int MessageDeliveryLimit { set; }

    /// <summary>How long one confirm may take, and how long a writer has to send its own rows before a sweeper takes them; default 10 s.</summary>
    TimeSpan MessageDeliveryTimeout { set; }

    /// <summary>After so many failed tries of the sweeper a row is parked; default 20, with pauses that grow to a minute (about a quarter of an hour).</summary>
    int MaxDeliveryTries { set; }

    /// <summary>
    /// The longest body that is handed to the transport, in bytes of UTF-8; default 64 MiB. A longer one fails its tries and is parked. Not above the
    /// broker's own limit (<c>max_message_size</c>): it closes the channel for such a message, and what was on its way there must be sent again.
    /// </summary>
    int MaxMessageBytes { set; }

    /// <summary>The isolation of consumers' transactions; default READ COMMITTED on PostgreSQL.</summary>
    IsolationLevel IsolationLevel { set; }

    /// <summary>Leaves consumed messages in the inbox for ever, or to another instance's clean-up.</summary>
    void DisableInboxCleanupService();

    /// <summary>Configures the outbox outside consumers. Here that is <see cref="EntityFrameworkCoreIntegration.IDbContextOutbox{TDbContext}"/>, always registered.</summary>
    /// <param name="configure">May switch this process's sweeper off.</param>
    void UseBusOutbox(Action<IEntityFrameworkBusOutboxConfigurator>? configure = null);

    /// <summary>Accepted for the official package's sake: the dialect is found from the DbContext's provider at run time.</summary>
    void UsePostgres();

    /// <summary>Accepted for the official package's sake: the dialect is found from the DbContext's provider at run time.</summary>
    void UseSqlite();
}

/// <summary>Settings of the outbox outside consumers.</summary>
public interface IEntityFrameworkBusOutboxConfigurator
{
    /// <summary>This process only sends what it wrote itself; left-over rows and schedules are another instance's.</summary>
    void DisableDeliveryService();
}
