using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.EntityFrameworkIntegration.Tests.Orders;

/// <summary>Effects are rows here, so that a test counts what happened and not what was logged.</summary>
public sealed class OrderDbContext(DbContextOptions<OrderDbContext> options) : DbContext(options)
{
    public DbSet<Effect> Effects => Set<Effect>();
    public DbSet<OrderState> Orders => Set<OrderState>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Effect>().ToTable("effect");
        new OrderStateMap().Configure(modelBuilder);
        modelBuilder.AddMessagingEntities();
    }

    private sealed class OrderStateMap : SagaClassMap<OrderState>
    {
        protected override void Configure(EntityTypeBuilder<OrderState> entity, ModelBuilder model) => entity.ToTable("order_state");
    }
}

/// <summary>One effect of one consumed message; deliberately without a unique key: a second effect must be visible.</summary>
public sealed class Effect
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    public Guid OrderId { get; set; }
}

public sealed class OrderState : SagaStateMachineInstance, ISagaVersion
{
    public Guid CorrelationId { get; set; }
    public string CurrentState { get; set; } = "";
    public int Version { get; set; }
    public int Counted { get; set; }
    public Guid? ReminderTokenId { get; set; }
}

public sealed record PlaceOrder
{
    public required Guid OrderId { get; init; }
}

public sealed record OrderPlaced
{
    public required Guid OrderId { get; init; }
}

public sealed record StartOrder
{
    public required Guid OrderId { get; init; }
    public TimeSpan? RemindAfter { get; init; }
}

public sealed record CountOrder
{
    public required Guid OrderId { get; init; }
    public required int Number { get; init; }

    /// <summary>Whether counting also publishes <see cref="OrderPlaced"/>.</summary>
    public bool Announce { get; init; }
}

public sealed record StopReminding
{
    public required Guid OrderId { get; init; }
    public bool ScheduleFirst { get; init; }
}

public sealed record OrderReminder
{
    public required Guid OrderId { get; init; }
}

public sealed record Poison
{
    public required Guid OrderId { get; init; }
}

public sealed record Inner
{
    public required Guid OrderId { get; init; }
}

public sealed record QuoteOrder
{
    public required Guid OrderId { get; init; }
}

public sealed record Envelope
{
    public required Guid OrderId { get; init; }
}
