using System.Data;
using MassTransit.Configuration;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace MassTransit;

/// <summary>Stores sagas with Entity Framework Core.</summary>
public static class EntityFrameworkSagaRepositoryRegistrationExtensions
{
    /// <summary>Stores the saga in a DbContext.</summary>
    /// <typeparam name="TSaga">The saga's state type.</typeparam>
    /// <param name="configurator">The saga's registration.</param>
    /// <param name="configure">Names the DbContext (<c>ExistingDbContext</c> or <c>AddDbContext</c>) and the concurrency mode.</param>
    /// <exception cref="ConfigurationException">No DbContext was named.</exception>
    public static ISagaRegistrationConfigurator<TSaga> EntityFrameworkRepository<TSaga>(
        this ISagaRegistrationConfigurator<TSaga> configurator, Action<IEntityFrameworkSagaRepositoryConfigurator<TSaga>> configure)
        where TSaga : class, ISaga
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(configure);
        var repository = new EntityFrameworkSagaRepositoryConfigurator<TSaga>();
        configure(repository);
        return configurator.Repository(repository.Register);
    }
}

/// <summary>How a saga is stored.</summary>
/// <typeparam name="TSaga">The saga's state type.</typeparam>
public interface IEntityFrameworkSagaRepositoryConfigurator<TSaga>
    where TSaga : class, ISaga
{
    /// <summary>How two messages for one saga are kept apart; default <see cref="MassTransit.ConcurrencyMode.Pessimistic"/>: the row is locked when loaded (PostgreSQL), so the second message waits; on SQLite its one writer waits. Optimistic collides, and the loser must be retried: not for fan-in.</summary>
    ConcurrencyMode ConcurrencyMode { set; }

    /// <summary>The isolation of a transaction the repository opens itself, without an outbox; default READ COMMITTED on PostgreSQL.</summary>
    IsolationLevel IsolationLevel { set; }

    /// <summary>Uses a DbContext that is registered in the container; with an outbox it must be the outbox's.</summary>
    /// <typeparam name="TContext">The DbContext.</typeparam>
    void ExistingDbContext<TContext>()
        where TContext : DbContext;

    /// <summary>Registers a DbContext and uses it.</summary>
    /// <typeparam name="TContext">The DbContext as it is asked for.</typeparam>
    /// <typeparam name="TImplementation">The DbContext that is made.</typeparam>
    /// <param name="configure">Chooses the database.</param>
    void AddDbContext<TContext, TImplementation>(Action<IServiceProvider, DbContextOptionsBuilder> configure)
        where TContext : DbContext
        where TImplementation : TContext;

    /// <summary>Adds includes or filters to every load and query of the saga.</summary>
    /// <param name="customize">For example <c>sagas => sagas.Include(saga => saga.Lines)</c>.</param>
    void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> customize);

    /// <summary>Accepted for the official package's sake: the dialect is found from the DbContext's provider at run time.</summary>
    void UsePostgres();

    /// <summary>Accepted for the official package's sake: the dialect is found from the DbContext's provider at run time.</summary>
    void UseSqlite();
}

internal sealed class SagaRepositoryOptions<TSaga>
{
    public ConcurrencyMode ConcurrencyMode { get; set; } = ConcurrencyMode.Pessimistic;
    public IsolationLevel? IsolationLevel { get; set; }
    public Func<IQueryable<TSaga>, IQueryable<TSaga>>? Customize { get; set; }

    public IQueryable<TSaga> Query(IQueryable<TSaga> sagas) => Customize is null ? sagas : Customize(sagas);
}

internal sealed class EntityFrameworkSagaRepositoryConfigurator<TSaga> : IEntityFrameworkSagaRepositoryConfigurator<TSaga>
    where TSaga : class, ISaga
{
    private readonly SagaRepositoryOptions<TSaga> _options = new();
    private Action<IServiceCollection>? _register;

    public ConcurrencyMode ConcurrencyMode
    {
        set => _options.ConcurrencyMode = value;
    }

    public IsolationLevel IsolationLevel
    {
        set => _options.IsolationLevel = value;
    }

    public void ExistingDbContext<TContext>()
        where TContext : DbContext => _register = services =>
    {
        services.RegisterSagaRepository<TSaga, TContext, SagaConsumeContextFactory<TContext, TSaga>, EntityFrameworkSagaRepositoryContextFactory<TContext, TSaga>>();
        services.RegisterLoadSagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TContext, TSaga>>();
        services.RegisterQuerySagaRepository<TSaga, EntityFrameworkSagaRepositoryContextFactory<TContext, TSaga>>();
        services.AddSingleton<IMessagingStartCheck>(new SagaStartCheck<TContext, TSaga>(_options));
        services.AddMessagingStartChecks();
    };

    public void AddDbContext<TContext, TImplementation>(Action<IServiceProvider, DbContextOptionsBuilder> configure)
        where TContext : DbContext
        where TImplementation : TContext
    {
        ExistingDbContext<TContext>();
        var existing = _register!;
        _register = services =>
        {
            services.AddDbContext<TContext, TImplementation>(configure);
            existing(services);
        };
    }

    public void CustomizeQuery(Func<IQueryable<TSaga>, IQueryable<TSaga>> customize) => _options.Customize = customize;

    public void UsePostgres()
    {
        // The provider decides at run time.
    }

    public void UseSqlite()
    {
        // The provider decides at run time.
    }

    public void Register(ISagaRepositoryRegistrationConfigurator<TSaga> services)
    {
        if (_register is null)
            throw new ConfigurationException($"The repository of {typeof(TSaga).Name} has no DbContext: call ExistingDbContext<TDbContext>() or AddDbContext<…>() inside EntityFrameworkRepository.");
        services.AddSingleton(_options);
        _register(services);
    }
}
