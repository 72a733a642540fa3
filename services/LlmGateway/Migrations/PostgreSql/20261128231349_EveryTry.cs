using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class EveryTry : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                CREATE VIEW every_try AS
                SELECT try_id, call_key, audit_id, attempt, sent_by AS owner, tries AS number, engine, permitted, state, reason, http_status, worst_case_micro_usd AS reserved_micro_usd,
                       try_spent_micro_usd AS spent_micro_usd, day, sent_at, answered_at AS ended_at, CAST(0 AS BIGINT) AS spent_before_micro_usd
                FROM paid_call WHERE sent_at IS NOT NULL
                UNION ALL
                SELECT try_id, call_key, audit_id, attempt, owner, number, engine, permitted, state, reason, http_status, reserved_micro_usd, spent_micro_usd, day, sent_at, ended_at, spent_before_micro_usd
                FROM paid_try
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP VIEW every_try");
        }
    }
}
