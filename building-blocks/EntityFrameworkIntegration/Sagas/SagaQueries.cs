using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>The query that every message for a saga begins with, compiled once for each model.</summary>
internal sealed class SagaQueries<TContext, TSaga>
    where TContext : DbContext
    where TSaga : class, ISaga
{
    private static readonly ConditionalWeakTable<IModel, SagaQueries<TContext, TSaga>> Known = [];
    private readonly Func<TContext, Guid, CancellationToken, Task<TSaga?>>? _locking;
    private readonly Func<TContext, Guid, CancellationToken, Task<TSaga?>> _plain;

    private SagaQueries(IModel model)
    {
        _plain = EF.CompileAsyncQuery((TContext database, Guid id, CancellationToken _) => database.Set<TSaga>().SingleOrDefault(saga => saga.CorrelationId == id));
        if (IsOneTable(model.FindEntityType(typeof(TSaga))))
            _locking = EF.CompileAsyncQuery((TContext database, Guid id, CancellationToken _) => database.Set<TSaga>().TagWith(RowLocks.Tag).SingleOrDefault(saga => saga.CorrelationId == id));
    }

    /// <summary>Finds a saga by its id.</summary>
    /// <param name="context">The DbContext.</param>
    /// <param name="locks">Whether its row is to be locked.</param>
    /// <returns>Null when such a query cannot be compiled: the DbContext does not know how to lock, or the saga is more than one table.</returns>
    public static Func<TContext, Guid, CancellationToken, Task<TSaga?>>? ById(TContext context, bool locks)
    {
        var queries = Known.GetValue(context.Model, static model => new SagaQueries<TContext, TSaga>(model));
        return !locks ? queries._plain : RowLocks.AreIn(context) ? queries._locking : null;
    }

    // A join with a row that need not exist cannot be locked.
    private static bool IsOneTable(IEntityType? saga) =>
        saga is { BaseType: null } && !saga.GetDirectlyDerivedTypes().Any() && saga.GetTableMappings().Count() == 1 && !saga.GetNavigations().Any(navigation => navigation.IsEagerLoaded || navigation.ForeignKey.IsOwnership);
}
