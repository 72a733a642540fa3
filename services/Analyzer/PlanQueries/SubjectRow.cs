using Assay.Contracts;
using Assay.Analyzer.Database;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.PlanQueries;

/// <summary>Whom an audit looks for: its request, as the first attempt brought it.</summary>
sealed class SubjectRow
{
    public required Guid AuditId { get; init; }
    public required string Brand { get; init; }
    public required string Locale { get; init; }

    /// <summary>The whole <see cref="RequestAudit"/>.</summary>
    public required string Request { get; init; }

    public required DateTime CreatedAt { get; init; }

    public RequestAudit ReadRequest() => JsonColumn.Read<RequestAudit>(Request, $"the request of audit {AuditId}");
}

sealed class SubjectMap : IEntityTypeConfiguration<SubjectRow>
{
    public void Configure(EntityTypeBuilder<SubjectRow> builder)
    {
        builder.ToTable("subject");
        builder.HasKey(x => x.AuditId);
        builder.Property(x => x.AuditId).ValueGeneratedNever();
        builder.Property(x => x.Brand).HasMaxLength(400);
        builder.Property(x => x.Locale).HasMaxLength(40);
    }
}
