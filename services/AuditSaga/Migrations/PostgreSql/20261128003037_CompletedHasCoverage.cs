using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.AuditSaga.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class CompletedHasCoverage : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_audit_completed_has_scores",
                table: "audit");

            migrationBuilder.AddCheckConstraint(
                name: "ck_audit_completed_has_scores",
                table: "audit",
                sql: "current_state <> 'Completed' OR (scores IS NOT NULL AND scores NOT IN ('', 'null', '{}') AND score_id IS NOT NULL AND metrics_version IS NOT NULL AND coverage IS NOT NULL AND coverage NOT IN ('', 'null', '{}') AND answers_complete AND drafted_layers = 3 AND open_batches = '{}')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_audit_completed_has_scores",
                table: "audit");

            migrationBuilder.AddCheckConstraint(
                name: "ck_audit_completed_has_scores",
                table: "audit",
                sql: "current_state <> 'Completed' OR (scores IS NOT NULL AND scores NOT IN ('', 'null', '{}') AND score_id IS NOT NULL AND metrics_version IS NOT NULL AND coverage IS NOT NULL AND answers_complete AND drafted_layers = 3 AND open_batches = '{}')");
        }
    }
}
