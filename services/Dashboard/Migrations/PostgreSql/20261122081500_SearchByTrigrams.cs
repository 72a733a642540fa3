using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Dashboard.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class SearchByTrigrams : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // A search works without the index, only slower: a user who may not create the extension, or a server without it, does not stop the
            // migration. The service tells at every start that the index is missing and what to do (SearchIndex).
            // Every search reads the list of pending entries; audits change often, so it is kept short.
            migrationBuilder.Sql("""
                DO $$
                BEGIN
                    CREATE EXTENSION IF NOT EXISTS pg_trgm;
                    CREATE INDEX ix_audit_search_text ON audit USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);
                EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
                    RAISE WARNING 'The index for searching audits was not made: %', SQLERRM;
                END
                $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX IF EXISTS ix_audit_search_text;");
        }
    }
}
