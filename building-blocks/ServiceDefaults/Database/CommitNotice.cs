using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Assay.ServiceDefaults;

/// <summary>Tells a context of its commits. Pooled contexts are used again, by whom nothing is to be called for.</summary>
sealed class CommitNotice : DbTransactionInterceptor
{
    public static CommitNotice Instance { get; } = new();

    public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Take(eventData)?.Invoke();

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        TransactionCommitted(transaction, eventData);
        return Task.CompletedTask;
    }

    public override void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => Take(eventData);

    public override Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        TransactionRolledBack(transaction, eventData);
        return Task.CompletedTask;
    }

    static Action? Take(TransactionEndEventData eventData)
    {
        if (eventData.Context is not AssayDbContext { Committed: { } committed } context)
            return null;
        context.Committed = null;
        return committed;
    }
}
