using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MassTransit;

/// <summary>Maps one saga type into a model.</summary>
public interface ISagaClassMap
{
    /// <summary>The saga's state type.</summary>
    Type SagaType { get; }

    /// <summary>Adds the saga to the model.</summary>
    /// <param name="model">The model under construction.</param>
    void Configure(ModelBuilder model);
}

/// <summary>Maps one saga type into a model.</summary>
/// <typeparam name="TSaga">The saga's state type.</typeparam>
public interface ISagaClassMap<TSaga> : ISagaClassMap
    where TSaga : class, ISaga;

/// <summary>
/// Maps a saga: key <c>CorrelationId</c>, never generated; the <c>Version</c> of an <see cref="ISagaVersion"/> is a concurrency token,
/// which the repository increments with every change.
/// </summary>
/// <typeparam name="TSaga">The saga's state type.</typeparam>
public abstract class SagaClassMap<TSaga> : ISagaClassMap<TSaga>
    where TSaga : class, ISaga
{
    /// <inheritdoc />
    public Type SagaType => typeof(TSaga);

    /// <inheritdoc />
    public virtual void Configure(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var entity = model.Entity<TSaga>();
        entity.HasKey(saga => saga.CorrelationId);
        entity.Property(saga => saga.CorrelationId).ValueGeneratedNever();
        if (typeof(ISagaVersion).IsAssignableFrom(typeof(TSaga)))
            entity.Property<int>(nameof(ISagaVersion.Version)).IsConcurrencyToken();
        Configure(entity, model);
    }

    /// <summary>Maps the saga's own properties.</summary>
    /// <param name="entity">The saga's entity.</param>
    /// <param name="model">The model under construction.</param>
    protected virtual void Configure(EntityTypeBuilder<TSaga> entity, ModelBuilder model)
    {
    }
}
