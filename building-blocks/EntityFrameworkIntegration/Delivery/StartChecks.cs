using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Something that must hold before the first message is consumed.</summary>
internal interface IMessagingStartCheck
{
    void Check(IServiceProvider scope);
}

internal static class StartCheckServices
{
    public static void AddMessagingStartChecks(this IServiceCollection services) =>
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StartChecks>());

    /// <summary>A retrying execution strategy cannot run transactions that span a consumer.</summary>
    public static void RefuseRetryingStrategy(DbContext context)
    {
        if (context.Database.CreateExecutionStrategy().RetriesOnFailure)
            throw new InvalidOperationException($"{context.GetType().Name} is configured with EnableRetryOnFailure, which cannot repeat a consumer's transaction. Remove it: the bus retries the whole message (UseMessageRetry, UseScheduledRedelivery), and the sweeper its own statements.");
    }
}

/// <summary>Runs the checks before the bus starts; a failed one stops the host with its reason.</summary>
internal sealed class StartChecks(IServiceScopeFactory scopes, IEnumerable<IMessagingStartCheck> checks) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        foreach (var check in checks)
            check.Check(scope.ServiceProvider);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

internal sealed class SagaStartCheck<TContext, TSaga>(SagaRepositoryOptions<TSaga> options) : IMessagingStartCheck
    where TContext : DbContext
    where TSaga : class, ISaga
{
    public void Check(IServiceProvider scope)
    {
        var context = scope.GetRequiredService<TContext>();
        StartCheckServices.RefuseRetryingStrategy(context);
        var type = context.Model.FindEntityType(typeof(TSaga))
            ?? throw new InvalidOperationException($"The model of {typeof(TContext).Name} has no saga {typeof(TSaga).Name}: map it in OnModelCreating, for example with a SagaClassMap.");
        if (options.ConcurrencyMode == ConcurrencyMode.Optimistic && !type.GetProperties().Any(property => property.IsConcurrencyToken))
            throw new InvalidOperationException($"The saga {typeof(TSaga).Name} is stored optimistically but none of its properties is a concurrency token, so concurrent messages would overwrite each other. Implement ISagaVersion and map it with SagaClassMap, or mark a property with IsConcurrencyToken().");
    }
}

internal sealed class OutboxStartCheck<TContext> : IMessagingStartCheck
    where TContext : DbContext
{
    public void Check(IServiceProvider scope)
    {
        var context = scope.GetRequiredService<TContext>();
        StartCheckServices.RefuseRetryingStrategy(context);
        context.TableName(typeof(InboxState));
        context.TableName(typeof(OutboxMessage));
        SqlDialect.Of(context);
    }
}
