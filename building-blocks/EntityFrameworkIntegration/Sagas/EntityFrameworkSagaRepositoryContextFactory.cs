using MassTransit.Middleware;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Loads and stores sagas in the scope's DbContext. Behind an outbox it works in the outbox's transaction; alone it opens its own.
/// </summary>
internal sealed class EntityFrameworkSagaRepositoryContextFactory<TContext, TSaga>(
    TContext dbContext, ISagaConsumeContextFactory<TContext, TSaga> factory, SagaRepositoryOptions<TSaga> options)
    : ISagaRepositoryContextFactory<TSaga>, ILoadSagaRepositoryContextFactory<TSaga>, IQuerySagaRepositoryContextFactory<TSaga>
    where TContext : DbContext
    where TSaga : class, ISaga
{
    public Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TSaga, T>> next)
        where T : class => InTransactionAsync(context, repository => next.Send(repository));

    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TSaga> query, IPipe<SagaRepositoryQueryContext<TSaga, T>> next)
        where T : class => InTransactionAsync(context, async repository =>
    {
        // Only the ids: each instance is then loaded, and locked, by its key.
        var ids = await options.Query(dbContext.Set<TSaga>())
            .AsNoTracking()
            .Where(query.FilterExpression)
            .Select(saga => saga.CorrelationId)
            .OrderBy(id => id)
            .ToListAsync(context.CancellationToken);
        await next.Send(new DefaultSagaRepositoryQueryContext<TSaga, T>(repository, ids));
    });

    public Task<T> Execute<T>(Func<LoadSagaRepositoryContext<TSaga>, Task<T>> asyncMethod, CancellationToken cancellationToken = default)
        where T : class => asyncMethod(new EntityFrameworkSagaReader<TSaga>(dbContext, options, cancellationToken));

    public Task<T> Execute<T>(Func<QuerySagaRepositoryContext<TSaga>, Task<T>> asyncMethod, CancellationToken cancellationToken = default)
        where T : class => asyncMethod(new EntityFrameworkSagaReader<TSaga>(dbContext, options, cancellationToken));

    public void Probe(ProbeContext context)
    {
        var scope = context.CreateScope("sagaRepository");
        scope.Set(new { Persistence = "entityFrameworkCore", Context = typeof(TContext).Name, options.ConcurrencyMode });
    }

    private async Task InTransactionAsync<T>(ConsumeContext<T> context, Func<EntityFrameworkSagaRepositoryContext<TContext, TSaga, T>, Task> send)
        where T : class
    {
        var repository = new EntityFrameworkSagaRepositoryContext<TContext, TSaga, T>(dbContext, context, factory, options);
        if (dbContext.Database.CurrentTransaction is not null)
        {
            await send(repository);
            return;
        }

        var isolation = options.IsolationLevel ?? SqlDialect.Of(dbContext).DefaultIsolation;
        await using var transaction = await dbContext.Database.BeginTransactionAsync(isolation, context.CancellationToken);
        await send(repository);
        await transaction.CommitAsync(context.CancellationToken);
    }
}

/// <summary>Reads sagas outside a message: no lock, no tracking.</summary>
internal sealed class EntityFrameworkSagaReader<TSaga>(DbContext dbContext, SagaRepositoryOptions<TSaga> options, CancellationToken cancellationToken)
    : BasePipeContext(cancellationToken), LoadSagaRepositoryContext<TSaga>, QuerySagaRepositoryContext<TSaga>
    where TSaga : class, ISaga
{
    public Task<TSaga> Load(Guid correlationId) =>
        options.Query(dbContext.Set<TSaga>()).AsNoTracking().SingleOrDefaultAsync(saga => saga.CorrelationId == correlationId, CancellationToken)!;

    public async Task<SagaRepositoryQueryContext<TSaga>> Query(ISagaQuery<TSaga> query, CancellationToken cancellationToken = default)
    {
        var found = await options.Query(dbContext.Set<TSaga>()).AsNoTracking().Where(query.FilterExpression).ToListAsync(cancellationToken);
        return new LoadedSagaRepositoryQueryContext<TSaga>(this, found);
    }
}
