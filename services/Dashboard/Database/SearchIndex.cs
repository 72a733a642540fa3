using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Database;

/// <summary>
/// The index searches of audits use on PostgreSQL. It needs the extension pg_trgm, which the service's user may not be allowed to create or the
/// server may not have; searches then read every audit.
/// </summary>
static partial class SearchIndex
{
    public const string Remedy = "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_audit_search_text ON audit USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);";

    /// <summary>Whether searches can use an index here; SQLite has none and needs none for one person's audits.</summary>
    public static async Task<bool> IsMissingAsync(DashboardDbContext db, CancellationToken cancellationToken) =>
        db.Database.IsNpgsql() && !await db.Database.SqlQuery<bool>($"SELECT to_regclass('ix_audit_search_text') IS NOT NULL AS \"Value\"").SingleAsync(cancellationToken);

    /// <summary>Says at the start what to do if the index is missing; nothing fails for it.</summary>
    public static async Task TellAsync(DashboardDbContext db, ILogger logger, CancellationToken cancellationToken)
    {
        if (await IsMissingAsync(db, cancellationToken))
            Missing(logger, Remedy);
    }

    [LoggerMessage(LogLevel.Warning, "The index for searching audits is missing, so that every search reads all audits. Let the owner of the Dashboard's database run: {Remedy}")]
    static partial void Missing(ILogger logger, string remedy);
}
