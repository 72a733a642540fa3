#if OFFICIAL_ENTITY_FRAMEWORK
using Assay.OfficialEntityFramework;
#endif
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Assay.ServiceDefaults;

/// <summary>
/// What every service's DbContext shares: UTC times, snake_case names, and the tables of inbox, outbox and scheduler.
/// One derived context per provider carries that provider's migrations.
/// </summary>
public abstract class AssayDbContext(DbContextOptions options) : DbContext(options)
{
    /// <summary>
    /// Called once, when the transaction that is open or the next one has committed, whoever commits it: also the one that the bus commits after
    /// a consumer. Add to it; a rollback forgets it, and so does the end of its use: a pooled context must not call for the next user what a lost
    /// commit has left behind. Null for nothing.
    /// </summary>
    public Action? Committed { get; set; }

    public override void Dispose()
    {
        Committed = null;
        base.Dispose();
    }

    public override ValueTask DisposeAsync()
    {
        Committed = null;
        return base.DisposeAsync();
    }

    protected sealed override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcDateTimeConverter>();
    }

    protected sealed override void OnModelCreating(ModelBuilder modelBuilder)
    {
        BuildModel(modelBuilder);
        modelBuilder.UseSnakeCaseNames();
        // After the naming convention: these tables keep the official package's names.
        modelBuilder.AddMessagingEntities();
#if OFFICIAL_ENTITY_FRAMEWORK
        modelBuilder.AddOfficialMessagingEntities();
#endif
    }

    /// <summary>The service's own tables.</summary>
    protected abstract void BuildModel(ModelBuilder modelBuilder);

    /// <summary>SQLite gives times back without their kind; they were UTC when they went in.</summary>
    sealed class UtcDateTimeConverter() : ValueConverter<DateTime, DateTime>(
        time => time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : DateTime.SpecifyKind(time, DateTimeKind.Utc),
        time => DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
