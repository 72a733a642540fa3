using System.Text.Json;
using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Integrity;
using Assay.AuditSaga.Pruning;
using Assay.AuditSaga.Transitions;
using Assay.Contracts.Internal;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.AuditSaga.Database;

/// <summary>The saga's database: audits, their guards, their history.</summary>
public class AuditSagaDbContext(DbContextOptions options) : AssayDbContext(options)
{
    public DbSet<AuditState> Audits => Set<AuditState>();
    public DbSet<AuditRequest> AuditRequests => Set<AuditRequest>();
    public DbSet<AuditPlan> AuditPlans => Set<AuditPlan>();
    public DbSet<AuditTransition> AuditTransitions => Set<AuditTransition>();
    public DbSet<AuditTombstone> AuditTombstones => Set<AuditTombstone>();
    public DbSet<LiveAudit> LiveAudits => Set<LiveAudit>();
    public DbSet<LineageTree> LineageTrees => Set<LineageTree>();
    public DbSet<ForcedAudits> ForcedAudits => Set<ForcedAudits>();
    public DbSet<IntegrityRound> IntegrityRounds => Set<IntegrityRound>();

    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        AuditStateMap.Map(modelBuilder.Entity<AuditState>());
        modelBuilder.Entity<AuditRequest>(row =>
        {
            row.HasKey(x => x.AuditId);
            row.Property(x => x.Request).HasJson();
        });
        modelBuilder.Entity<AuditPlan>(row =>
        {
            row.HasKey(x => x.AuditId);
            row.Property(x => x.Queries).HasJson();
        });
        modelBuilder.Entity<AuditTransition>(row => row.HasKey(x => new { x.AuditId, x.Sequence }));
        modelBuilder.Entity<AuditTombstone>(row => row.HasKey(x => x.AuditId));
        modelBuilder.Entity<LiveAudit>(row =>
        {
            row.HasKey(x => x.AuditId);
            row.HasIndex(x => new { x.BrandKey, x.Kind, x.PanelHash }).IsUnique();
        });
        modelBuilder.Entity<LineageTree>(row =>
        {
            row.HasKey(x => x.TrackingId);
            row.ToTable(table => table.HasCheckConstraint("ck_lineage_tree_size", "size >= 0"));
        });
        modelBuilder.Entity<ForcedAudits>(row => row.HasKey(x => new { x.BrandKey, x.Kind, x.Day }));
        modelBuilder.Entity<IntegrityRound>(row =>
        {
            row.HasKey(x => x.Id);
            row.Property(x => x.Id).ValueGeneratedNever();
            row.ToTable(table => table.HasCheckConstraint("ck_integrity_round_only_one", "id = 1"));
        });
    }
}

/// <summary>Carries the PostgreSQL migrations.</summary>
public sealed class PostgreSqlAuditSagaDbContext(DbContextOptions<PostgreSqlAuditSagaDbContext> options) : AuditSagaDbContext(options);

/// <summary>Carries the SQLite migrations.</summary>
public sealed class SqliteAuditSagaDbContext(DbContextOptions<SqliteAuditSagaDbContext> options) : AuditSagaDbContext(options);

static class JsonColumns
{
    /// <summary>A column of JSON text. Values are replaced, never changed in place, so the reference tells whether one changed.</summary>
    public static PropertyBuilder<T> HasJson<T>(this PropertyBuilder<T> property) => property.HasConversion(
        value => JsonSerializer.Serialize(value, AssayJson.Options),
        json => JsonSerializer.Deserialize<T>(json, AssayJson.Options)!,
        new ValueComparer<T>((a, b) => ReferenceEquals(a, b), value => value == null ? 0 : value.GetHashCode(), value => value));
}
