using MassTransit.Context;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>One message's view of the sagas: loads (and locks), adds, saves.</summary>
internal sealed class EntityFrameworkSagaRepositoryContext<TContext, TSaga, TMessage>(
    TContext dbContext, ConsumeContext<TMessage> context, ISagaConsumeContextFactory<TContext, TSaga> factory, SagaRepositoryOptions<TSaga> options)
    : ConsumeContextScope<TMessage>(context), SagaRepositoryContext<TSaga, TMessage>
    where TContext : DbContext
    where TSaga : class, ISaga
    where TMessage : class
{
    private readonly ConsumeContext<TMessage> _context = context;
    private readonly SqlDialect _dialect = SqlDialect.Of(dbContext);

    public async Task<SagaConsumeContext<TSaga, TMessage>> Add(TSaga instance)
    {
        dbContext.Set<TSaga>().Add(instance);
        return await factory.CreateSagaConsumeContext(dbContext, _context, instance, SagaConsumeContextMode.Add);
    }

    /// <summary>Inserts at once; null when the row already exists, without harm to the transaction (EF saves behind a savepoint).</summary>
    public async Task<SagaConsumeContext<TSaga, TMessage>> Insert(TSaga instance)
    {
        await LockCreationAsync(instance.CorrelationId);
        var entry = dbContext.Set<TSaga>().Add(instance);
        try
        {
            BumpVersion(instance);
            await dbContext.SaveChangesAsync(CancellationToken);
        }
        catch (DbUpdateException exception) when (_dialect.IsUniqueViolation(exception))
        {
            entry.State = EntityState.Detached;
            return null!;
        }

        return await factory.CreateSagaConsumeContext(dbContext, _context, instance, SagaConsumeContextMode.Insert);
    }

    public async Task<SagaConsumeContext<TSaga, TMessage>> Load(Guid correlationId)
    {
        var instance = await FindAsync(correlationId);
        if (instance is null && options.ConcurrencyMode == ConcurrencyMode.Pessimistic && await LockCreationAsync(correlationId))
            instance = await FindAsync(correlationId);
        return instance is null ? null! : await factory.CreateSagaConsumeContext(dbContext, _context, instance, SagaConsumeContextMode.Load);
    }

    public Task Save(SagaConsumeContext<TSaga> context) => SaveAsync(context.Saga);

    public Task Update(SagaConsumeContext<TSaga> context) => SaveAsync(context.Saga);

    public Task Delete(SagaConsumeContext<TSaga> context)
    {
        dbContext.Set<TSaga>().Remove(context.Saga);
        return SaveAsync(context.Saga);
    }

    public Task Discard(SagaConsumeContext<TSaga> context)
    {
        dbContext.Entry(context.Saga).State = EntityState.Detached;
        return Task.CompletedTask;
    }

    public Task Undo(SagaConsumeContext<TSaga> context)
    {
        dbContext.Entry(context.Saga).State = EntityState.Detached;
        return Task.CompletedTask;
    }

    public Task<SagaConsumeContext<TSaga, T>> CreateSagaConsumeContext<T>(ConsumeContext<T> consumeContext, TSaga instance, SagaConsumeContextMode mode)
        where T : class => factory.CreateSagaConsumeContext(dbContext, consumeContext, instance, mode);

    private Task<TSaga?> FindAsync(Guid correlationId)
    {
        var locks = options.ConcurrencyMode == ConcurrencyMode.Pessimistic && _dialect.HasRowLocks;
        if (options.Customize is null && SagaQueries<TContext, TSaga>.ById(dbContext, locks) is { } query)
            return query(dbContext, correlationId, CancellationToken);

        var set = dbContext.Set<TSaga>();
        return options.Query(locks ? set.FromSqlRaw(LockingSelect(), correlationId) : set).SingleOrDefaultAsync(saga => saga.CorrelationId == correlationId, CancellationToken);
    }

    private string LockingSelect()
    {
        var type = EntityType();
        var table = StoreObjectIdentifier.Create(type, StoreObjectType.Table)!.Value;
        var sql = dbContext.GetService<ISqlGenerationHelper>();
        var key = type.FindProperty(nameof(ISaga.CorrelationId))!.GetColumnName(table)!;
        return $"SELECT * FROM {sql.DelimitIdentifier(table.Name, table.Schema)} WHERE {sql.DelimitIdentifier(key)} = {{0}} FOR UPDATE";
    }

    private IEntityType EntityType() => dbContext.Model.FindEntityType(typeof(TSaga))
        ?? throw new InvalidOperationException($"The model of {typeof(TContext).Name} has no saga {typeof(TSaga).Name}: map it in OnModelCreating, for example with a SagaClassMap.");

    private async Task<bool> LockCreationAsync(Guid correlationId)
    {
        if (_dialect.CreationLock is not { } sql)
            return false;
        await dbContext.Database.ExecuteSqlRawAsync(sql, [$"{EntityType().GetTableName()}:{correlationId}"], CancellationToken);
        return true;
    }

    private async Task SaveAsync(TSaga saga)
    {
        try
        {
            BumpVersion(saga);
            await dbContext.SaveOrRollBackAsync(CancellationToken);
        }
        catch (DbUpdateConcurrencyException exception)
        {
            throw Collided(saga, "another message changed or deleted it since it was loaded", exception);
        }
        catch (DbUpdateException exception) when (_dialect.IsUniqueViolation(exception) && exception.Entries.Any(entry => ReferenceEquals(entry.Entity, saga)))
        {
            throw Collided(saga, "another message inserted it, or its unique key, first", exception);
        }
    }

    private void BumpVersion(TSaga saga)
    {
        if (saga is not ISagaVersion versioned)
            return;
        var entry = dbContext.Entry(saga);
        entry.DetectChanges();
        if (entry.State is EntityState.Added or EntityState.Modified)
            versioned.Version++;
    }

    private static ConcurrencyException Collided(TSaga saga, string why, Exception inner) =>
        new($"The saga could not be saved after {typeof(TMessage).Name}: {why}. The message is tried again from the start if the endpoint has UseMessageRetry outside the outbox.", typeof(TSaga), saga.CorrelationId, inner);
}
