using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Assay.ServiceDefaults;

/// <summary>Registers a module's DbContext for the database its host chose.</summary>
public static class DatabaseServices
{
    /// <summary>
    /// Registers <typeparamref name="TContext"/> as the derived context of the chosen provider, and its migration, which the host runs
    /// before anything starts.
    /// </summary>
    public static IServiceCollection AddAssayDbContext<TContext, TPostgreSql, TSqlite>(this IServiceCollection services, AssayDatabase database)
        where TContext : AssayDbContext
        where TPostgreSql : TContext
        where TSqlite : TContext
    {
        var migration = new DatabaseMigration(typeof(TContext), database.Provider);
        services.AddSingleton(migration);
        services.AddHealthChecks()
            .Add(new HealthCheckRegistration($"database-{migration.Service}", provider => new Check(cancellationToken => migration.CheckDatabaseAsync(provider, cancellationToken)), HealthStatus.Unhealthy, ["ready"]))
            .Add(new HealthCheckRegistration($"migrations-{migration.Service}", new Check(_ => Task.FromResult(migration.CheckSchema())), HealthStatus.Unhealthy, ["ready"]));
        // Neither options nor contexts depend on anything of a scope: a context is reset and used again, which is a tenth of what a message costs.
        // Not on SQLite: there a context that was used again after a failure was seen to hold up the file's other writers.
        return database.Provider switch
        {
            DatabaseProvider.PostgreSql => services.AddDbContextPool<TContext, TPostgreSql>(options => options.UseAssayPostgres(database.ConnectionString).AddInterceptors(CommitNotice.Instance)),
            DatabaseProvider.Sqlite => services.AddDbContext<TContext, TSqlite>(options => options.UseAssaySqlite(database.ConnectionString).AddInterceptors(CommitNotice.Instance), ServiceLifetime.Scoped, ServiceLifetime.Singleton),
            _ => throw new ArgumentOutOfRangeException(nameof(database), database.Provider, "Unknown database provider."),
        };
    }

    sealed class Check(Func<CancellationToken, Task<HealthCheckResult>> check) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => check(cancellationToken);
    }
}
