extern alias official;
using Microsoft.EntityFrameworkCore;
using official::MassTransit;
using BusRegistration = MassTransit.IBusRegistrationConfigurator;
using ConcurrencyMode = MassTransit.ConcurrencyMode;
using ReceiveEndpoint = MassTransit.IReceiveEndpointConfigurator;
using RegistrationContext = MassTransit.IRegistrationContext;

namespace Assay.OfficialEntityFramework;

/// <summary>
/// The seams of the build switch <c>UseOfficialEntityFramework</c>: saga repository and consumer inbox/outbox are the official package's,
/// scheduler and <c>IDbContextOutbox</c> stay ours. Written from the package's public documentation and NOT TESTED: the package does not
/// restore everywhere. Only PostgreSQL; the README of this building block says what else to know.
/// </summary>
public static class OfficialEntityFramework
{
    /// <summary>The schema of the package's three tables: ours have the same names, and hold what scheduler and explicit outbox keep.</summary>
    public const string Schema = "masstransit";

    /// <summary>Adds the package's inbox and outbox tables to a model that has ours.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    public static void AddOfficialMessagingEntities(this ModelBuilder modelBuilder)
    {
        modelBuilder.AddInboxStateEntity(entity => entity.ToTable("InboxState", Schema));
        modelBuilder.AddOutboxMessageEntity(entity => entity.ToTable("OutboxMessage", Schema));
        modelBuilder.AddOutboxStateEntity(entity => entity.ToTable("OutboxState", Schema));
    }

    /// <summary>Registers the package's inbox and consumer outbox beside ours, which goes on to serve <c>IDbContextOutbox</c> and the scheduler.</summary>
    /// <typeparam name="TDbContext">A DbContext for which our outbox is registered already.</typeparam>
    /// <param name="bus">The bus registration.</param>
    public static void AddOfficialOutbox<TDbContext>(this BusRegistration bus)
        where TDbContext : DbContext =>
        // The last registration of IOutboxContextFactory<TDbContext> counts: the package's.
        bus.AddEntityFrameworkOutbox<TDbContext>(outbox => outbox.UsePostgres());

    /// <summary>Puts an endpoint behind the package's inbox and outbox.</summary>
    /// <typeparam name="TDbContext">A DbContext registered with <see cref="AddOfficialOutbox{TDbContext}"/>.</typeparam>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="context">The registration context of the definition.</param>
    public static void UseOfficialOutbox<TDbContext>(this ReceiveEndpoint endpoint, RegistrationContext context)
        where TDbContext : DbContext => endpoint.UseEntityFrameworkOutbox<TDbContext>(context);

    /// <summary>Stores a saga with the package's repository, pessimistically: it never increments <c>ISagaVersion.Version</c>, so that optimistic concurrency by that token would lose updates in silence.</summary>
    /// <typeparam name="TSaga">The saga's state type.</typeparam>
    /// <typeparam name="TDbContext">A registered DbContext.</typeparam>
    /// <param name="saga">The saga's registration.</param>
    public static void OfficialRepository<TSaga, TDbContext>(this MassTransit.ISagaRegistrationConfigurator<TSaga> saga)
        where TSaga : class, MassTransit.ISaga
        where TDbContext : DbContext =>
        saga.EntityFrameworkRepository(repository =>
        {
            repository.ConcurrencyMode = ConcurrencyMode.Pessimistic;
            repository.ExistingDbContext<TDbContext>();
            repository.UsePostgres();
        });
}
