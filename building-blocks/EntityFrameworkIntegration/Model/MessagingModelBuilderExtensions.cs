using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MassTransit;

/// <summary>Adds the tables of inbox, outbox and scheduler to a DbContext's model.</summary>
public static class MessagingModelBuilderExtensions
{
    private const int AddressLength = 256;

    /// <summary>Adds all four tables. Call it after any naming convention: their names are fixed.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    public static void AddMessagingEntities(this ModelBuilder modelBuilder)
    {
        modelBuilder.AddInboxStateEntity();
        modelBuilder.AddOutboxMessageEntity();
        modelBuilder.AddOutboxStateEntity();
        modelBuilder.AddScheduledMessageEntity();
    }

    /// <summary>Adds the official three: <c>InboxState</c>, <c>OutboxMessage</c>, <c>OutboxState</c>.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    public static void AddTransactionalOutboxEntities(this ModelBuilder modelBuilder)
    {
        modelBuilder.AddInboxStateEntity();
        modelBuilder.AddOutboxMessageEntity();
        modelBuilder.AddOutboxStateEntity();
    }

    /// <summary>Adds <see cref="InboxState"/>.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    /// <param name="configure">Further configuration, for example a schema.</param>
    public static void AddInboxStateEntity(this ModelBuilder modelBuilder, Action<EntityTypeBuilder<InboxState>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var entity = modelBuilder.Entity<InboxState>();
        entity.ToTable(nameof(InboxState));
        entity.HasKey(inbox => inbox.Id);
        entity.Property(inbox => inbox.Id).ValueGeneratedOnAdd();
        entity.HasAlternateKey(inbox => new { inbox.MessageId, inbox.ConsumerId });
        entity.HasIndex(inbox => inbox.Delivered);
        configure?.Invoke(entity);
        KeepNames(entity);
    }

    /// <summary>Adds <see cref="OutboxMessage"/>.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    /// <param name="configure">Further configuration, for example a schema.</param>
    public static void AddOutboxMessageEntity(this ModelBuilder modelBuilder, Action<EntityTypeBuilder<OutboxMessage>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var entity = modelBuilder.Entity<OutboxMessage>();
        entity.ToTable(nameof(OutboxMessage));
        entity.HasKey(message => message.SequenceNumber);
        entity.Property(message => message.SequenceNumber).ValueGeneratedOnAdd();
        entity.Property(message => message.ContentType).HasMaxLength(AddressLength);
        entity.Property(message => message.SourceAddress).HasMaxLength(AddressLength);
        entity.Property(message => message.DestinationAddress).HasMaxLength(AddressLength);
        entity.Property(message => message.ResponseAddress).HasMaxLength(AddressLength);
        entity.Property(message => message.FaultAddress).HasMaxLength(AddressLength);
        // Only what is still to be sent: parked rows, however many, cost the sweeper nothing.
        entity.HasIndex(message => message.NextTryAt).HasFilter("\"ParkedAt\" IS NULL");
        entity.HasIndex(message => message.ParkedAt).HasFilter("\"ParkedAt\" IS NOT NULL");
        // For rows that a caller inserted with its own SQL, whose sequence numbers only the database knows.
        entity.HasIndex(message => message.MessageId);
        configure?.Invoke(entity);
        KeepNames(entity);
    }

    /// <summary>Adds <see cref="OutboxState"/>.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    /// <param name="configure">Further configuration, for example a schema.</param>
    public static void AddOutboxStateEntity(this ModelBuilder modelBuilder, Action<EntityTypeBuilder<OutboxState>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var entity = modelBuilder.Entity<OutboxState>();
        entity.ToTable(nameof(OutboxState));
        entity.HasKey(outbox => outbox.OutboxId);
        entity.Property(outbox => outbox.OutboxId).ValueGeneratedNever();
        entity.HasIndex(outbox => outbox.Created);
        configure?.Invoke(entity);
        KeepNames(entity);
    }

    /// <summary>Adds <see cref="ScheduledMessageRow"/> as <c>scheduled_message</c>.</summary>
    /// <param name="modelBuilder">The model of the DbContext whose transactions carry the messages.</param>
    /// <param name="configure">Further configuration, for example a schema.</param>
    public static void AddScheduledMessageEntity(this ModelBuilder modelBuilder, Action<EntityTypeBuilder<ScheduledMessageRow>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var entity = modelBuilder.Entity<ScheduledMessageRow>();
        entity.ToTable("scheduled_message");
        entity.HasKey(message => message.TokenId).HasName("pk_scheduled_message");
        entity.Property(message => message.TokenId).HasColumnName("token_id").ValueGeneratedNever();
        entity.Property(message => message.DueAt).HasColumnName("due_at");
        entity.Property(message => message.Destination).HasColumnName("destination");
        entity.Property(message => message.MessageId).HasColumnName("message_id");
        entity.Property(message => message.Message).HasColumnName("message");
        entity.Property(message => message.Tries).HasColumnName("tries");
        entity.Property(message => message.LastError).HasColumnName("last_error");
        entity.Property(message => message.ParkedAt).HasColumnName("parked_at");
        entity.HasIndex(message => message.ParkedAt).HasDatabaseName("ix_scheduled_message_parked_at").HasFilter("parked_at IS NOT NULL");
        entity.HasIndex(message => message.DueAt).HasDatabaseName("ix_scheduled_message_due_at").HasFilter("parked_at IS NULL");
        configure?.Invoke(entity);
    }

    // Explicit, so that a naming convention that runs later leaves them alone: the SQL here and the official package know these names.
    private static void KeepNames<TEntity>(EntityTypeBuilder<TEntity> entity)
        where TEntity : class
    {
        foreach (var property in entity.Metadata.GetProperties().ToList())
            entity.Property(property.Name).HasColumnName(property.Name);
    }
}
