using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A DbContext whose model is made of saga maps.</summary>
/// <param name="options">The DbContext's options.</param>
public abstract class SagaDbContext(DbContextOptions options) : DbContext(options)
{
    /// <summary>The maps of this context's sagas.</summary>
    protected abstract IEnumerable<ISagaClassMap> Configurations { get; }

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var map in Configurations)
            map.Configure(modelBuilder);
    }
}
