using Assay.LlmGateway.Database;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.LlmGateway.Ledger;

/// <summary>A transaction of the ledger's own, outside any consumer: its statements and its messages commit together.</summary>
sealed class LedgerTransactions(IServiceScopeFactory scopes, TimeProvider time)
{
    public async Task<T> RunAsync<T>(Func<LedgerSession, IAnnounce, CancellationToken, Task<T>> work, CancellationToken cancellationToken, Action? beforeCommit = null)
    {
        await using var scope = scopes.CreateAsyncScope();
        var outbox = scope.ServiceProvider.GetRequiredService<IDbContextOutbox<LlmGatewayDbContext>>();
        var database = outbox.DbContext;
        var announce = new AnnounceByOutbox(outbox);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var result = await work(new LedgerSession(database, time), announce, cancellationToken);
        if (announce.Count > 0)
            await outbox.SaveChangesAsync(cancellationToken);
        beforeCommit?.Invoke();
        await transaction.CommitAsync(cancellationToken);
        if (announce.Count > 0)
            outbox.NotifyCommitted();
        return result;
    }

    public Task RunAsync(Func<LedgerSession, IAnnounce, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        RunAsync<bool>(async (session, announce, token) =>
        {
            await work(session, announce, token);
            return true;
        }, cancellationToken);

    /// <summary>Reads outside any transaction.</summary>
    public async Task<T> ReadAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>();
        await database.Database.OpenConnectionAsync(cancellationToken);
        return await work(new LedgerSession(database, time), cancellationToken);
    }
}
