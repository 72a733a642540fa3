using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Analyzer.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class AddJudge : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_draft_open",
                table: "draft");

            migrationBuilder.AddColumn<Guid>(
                name: "open_judge_batch_id",
                table: "draft",
                type: "uuid",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "judge_batch",
                columns: table => new
                {
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    questions = table.Column<string>(type: "text", nullable: true),
                    asked_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    judged_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_judge_batch", x => x.batch_id);
                    table.CheckConstraint("ck_judge_batch_open", "(questions IS NULL) = (judged_at IS NOT NULL)");
                });

            migrationBuilder.CreateTable(
                name: "judgement",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    call_key = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    recommendation = table.Column<double>(type: "double precision", nullable: true),
                    sentiment = table.Column<int>(type: "integer", nullable: true),
                    features = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true),
                    read_recommendation = table.Column<double>(type: "double precision", nullable: false),
                    read_sentiment = table.Column<int>(type: "integer", nullable: false),
                    read_features = table.Column<string>(type: "text", nullable: false),
                    disagrees = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_judgement", x => new { x.audit_id, x.attempt, x.call_key });
                    table.CheckConstraint("ck_judgement_reason", "(recommendation IS NULL) = (reason IS NOT NULL) AND (recommendation IS NULL) = (sentiment IS NULL)");
                });

            migrationBuilder.CreateIndex(
                name: "ix_draft_open_judge_batch_id",
                table: "draft",
                column: "open_judge_batch_id",
                unique: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_draft_open",
                table: "draft",
                sql: "(open_batch_id IS NULL AND open_judge_batch_id IS NULL) = (drafted_at IS NOT NULL) AND (open_batch_id IS NULL) = (questions IS NULL)");

            migrationBuilder.CreateIndex(
                name: "ix_judge_batch_audit_id_attempt",
                table: "judge_batch",
                columns: new[] { "audit_id", "attempt" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "judge_batch");

            migrationBuilder.DropTable(
                name: "judgement");

            migrationBuilder.DropIndex(
                name: "ix_draft_open_judge_batch_id",
                table: "draft");

            migrationBuilder.DropCheckConstraint(
                name: "ck_draft_open",
                table: "draft");

            migrationBuilder.DropColumn(
                name: "open_judge_batch_id",
                table: "draft");

            migrationBuilder.AddCheckConstraint(
                name: "ck_draft_open",
                table: "draft",
                sql: "(open_batch_id IS NULL) = (drafted_at IS NOT NULL) AND (open_batch_id IS NULL) = (questions IS NULL)");
        }
    }
}
