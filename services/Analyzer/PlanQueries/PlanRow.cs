using Assay.Analyzer.Database;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.PlanQueries;

/// <summary>The panel of an audit. Once planned it never changes: a later attempt gets the same queries.</summary>
sealed class PlanRow
{
    public required Guid AuditId { get; init; }
    public required Guid PlanId { get; init; }

    /// <summary>Version of the templates and checks that made it.</summary>
    public required string PlannerVersion { get; init; }

    /// <summary>The attempt that asked last.</summary>
    public required int Attempt { get; set; }

    /// <summary>given, templates or advisor; null while the advisor is asked.</summary>
    public string? Source { get; set; }

    /// <summary>The <see cref="PlannedQuery"/> list; null while the advisor is asked.</summary>
    public string? Queries { get; set; }

    /// <summary>The advisor's batch; its answer is the only one that is heard.</summary>
    public Guid? OpenBatchId { get; set; }

    /// <summary>Spent on the advisor by the attempt that planned.</summary>
    public long SpentMicroUsd { get; set; }

    public required DateTime CreatedAt { get; init; }
    public DateTime? PlannedAt { get; set; }
    public int Version { get; set; }

    public bool IsPlanned => Queries is not null;

    public IReadOnlyList<PlannedQuery> ReadQueries() =>
        Queries is { } json ? JsonColumn.Read<List<PlannedQuery>>(json, $"the plan of audit {AuditId}") : [];

    public void Settle(string source, IReadOnlyList<PlannedQuery> queries, long spentMicroUsd, DateTime now)
    {
        Source = source;
        Queries = JsonColumn.Write(queries);
        SpentMicroUsd = spentMicroUsd;
        PlannedAt = now;
        OpenBatchId = null;
        Version++;
    }

    /// <summary>What the saga hears; only the attempt that planned has spent anything.</summary>
    public QueriesPlanned ToMessage(int attempt, RequestAudit request, TrackedBrands tracked) => new()
    {
        AuditId = AuditId,
        Attempt = attempt,
        PlanId = PlanId,
        Source = Source ?? throw new InvalidOperationException($"The plan of audit {AuditId} is not settled yet; its advisor batch {OpenBatchId} is still open."),
        Queries = ReadQueries(),
        SpentMicroUsd = attempt == Attempt ? SpentMicroUsd : 0,
        Names = tracked.Names,
        Problem = ReadQueries().Count > 0 ? null : QueryPlanner.WhyNothing(request),
    };
}

sealed class PlanMap : IEntityTypeConfiguration<PlanRow>
{
    public void Configure(EntityTypeBuilder<PlanRow> builder)
    {
        builder.ToTable("plan", table =>
        {
            table.HasCheckConstraint("ck_plan_settled", "(queries IS NULL) = (planned_at IS NULL) AND (queries IS NULL) = (source IS NULL)");
            table.HasCheckConstraint("ck_plan_open", "(queries IS NULL) = (open_batch_id IS NOT NULL)");
            table.HasCheckConstraint("ck_plan_spent", "spent_micro_usd >= 0");
        });
        builder.HasKey(x => x.AuditId);
        builder.Property(x => x.AuditId).ValueGeneratedNever();
        builder.Property(x => x.PlannerVersion).HasMaxLength(40);
        builder.Property(x => x.Source).HasMaxLength(20);
        builder.Property(x => x.Version).IsConcurrencyToken();
        builder.HasIndex(x => x.OpenBatchId).IsUnique();
        builder.Ignore(x => x.IsPlanned);
    }
}
