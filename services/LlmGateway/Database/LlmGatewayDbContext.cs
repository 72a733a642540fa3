using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway.Database;

/// <summary>
/// The ledger's tables. The decisions are made by conditional statements; the CHECK constraints are the backstop that makes
/// a contradictory row impossible whatever the code does.
/// </summary>
public class LlmGatewayDbContext(DbContextOptions options) : AssayDbContext(options)
{
    public DbSet<Spending> Spending => Set<Spending>();
    public DbSet<AuditBudget> AuditBudgets => Set<AuditBudget>();
    public DbSet<PaidCall> PaidCalls => Set<PaidCall>();
    public DbSet<PaidTry> PaidTries => Set<PaidTry>();
    public DbSet<AskedBatch> Batches => Set<AskedBatch>();
    public DbSet<AskedQuestion> Questions => Set<AskedQuestion>();
    public DbSet<GatewayInstance> Instances => Set<GatewayInstance>();
    public DbSet<SpendingHalt> Halts => Set<SpendingHalt>();
    public DbSet<EnginePause> EnginePauses => Set<EnginePause>();
    public DbSet<EngineLimit> EngineLimits => Set<EngineLimit>();
    public DbSet<EngineChanged> EngineChanges => Set<EngineChanged>();

    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Spending>(spending =>
        {
            spending.ToTable("spending", table =>
            {
                table.HasCheckConstraint("ck_spending_reserved", "reserved_micro_usd >= 0");
                table.HasCheckConstraint("ck_spending_spent", "spent_micro_usd >= 0");
                table.HasCheckConstraint("ck_spending_overrun", "overrun_micro_usd >= 0");
                table.HasCheckConstraint("ck_spending_ceiling", "reserved_micro_usd + spent_micro_usd <= ceiling_micro_usd");
            });
            spending.HasKey(row => row.Scope);
            spending.Property(row => row.Scope).HasMaxLength(60);
        });

        modelBuilder.Entity<AuditBudget>(budget =>
        {
            budget.ToTable("audit_budget", table =>
            {
                table.HasCheckConstraint("ck_audit_budget_state", "state IN ('Waiting', 'Open', 'Refused', 'Closed')");
                table.HasCheckConstraint("ck_audit_budget_allocated", "reserved_micro_usd >= 0 AND reserved_micro_usd <= allocated_micro_usd");
                table.HasCheckConstraint("ck_audit_budget_closed", "state = 'Open' OR allocated_micro_usd = 0");
                table.HasCheckConstraint("ck_audit_budget_fence", "(state = 'Closed' AND closed_attempt >= attempt) OR (state <> 'Closed' AND closed_attempt < attempt)");
                table.HasCheckConstraint("ck_audit_budget_day", "state <> 'Open' OR (day IS NOT NULL AND pins_json IS NOT NULL)");
                table.HasCheckConstraint("ck_audit_budget_refusal", "state <> 'Refused' OR refusal_reason IS NOT NULL");
            });
            budget.HasKey(row => row.AuditId);
            budget.Property(row => row.State).HasMaxLength(16);
            budget.Property(row => row.Day).HasMaxLength(10);
            budget.Property(row => row.InDoubtPolicy).HasMaxLength(16);
            budget.Property(row => row.RefusalReason).HasMaxLength(64);
            budget.Property(row => row.TraceParent).HasMaxLength(55);
            budget.HasIndex(row => row.State).HasFilter("state IN ('Waiting', 'Open')");
        });

        modelBuilder.Entity<PaidCall>(call =>
        {
            call.ToTable("paid_call", table =>
            {
                table.HasCheckConstraint("ck_paid_call_state", "state IN ('Planned', 'Sending', 'Answered', 'Declined', 'Refused', 'Empty', 'InDoubt')");
                table.HasCheckConstraint("ck_paid_call_money", "reserved_micro_usd >= 0 AND spent_micro_usd >= 0");
                table.HasCheckConstraint("ck_paid_call_answered", "state <> 'Answered' OR (text_hash IS NOT NULL AND answered_at IS NOT NULL)");
                table.HasCheckConstraint("ck_paid_call_text", "text IS NULL OR text_hash IS NOT NULL");
                table.HasCheckConstraint("ck_paid_call_sending", "state <> 'Sending' OR (try_id IS NOT NULL AND owner IS NOT NULL AND sent_at IS NOT NULL)");
                table.HasCheckConstraint("ck_paid_call_try", "CASE WHEN sent_at IS NULL THEN try_spent_micro_usd = 0 ELSE sent_by IS NOT NULL AND day IS NOT NULL AND try_spent_micro_usd >= 0 AND (state = 'Sending' OR (state IN ('Answered', 'Refused', 'Empty') AND answered_at IS NOT NULL)) END");
                table.HasCheckConstraint("ck_paid_call_reserved", "reserved_micro_usd = 0 OR (state IN ('Planned', 'Sending') AND owner IS NOT NULL)");
                table.HasCheckConstraint("ck_paid_call_reason", "state NOT IN ('Declined', 'InDoubt', 'Empty') OR reason IS NOT NULL");
            });
            call.HasKey(row => row.CallKey);
            call.Property(row => row.CallKey).HasMaxLength(64);
            call.Property(row => row.State).HasMaxLength(16);
            // Nothing that a call's way through the pump changes is in an index, so that PostgreSQL writes none anew for it: what is planned,
            // and whose it is, is found through the open batches.
            call.HasIndex(row => row.AuditId);
        });

        modelBuilder.Entity<PaidTry>(attempt =>
        {
            attempt.ToView("every_try").ToTable("paid_try", table =>
            {
                table.HasCheckConstraint("ck_paid_try_state", "state IN ('Answered', 'Refused', 'Empty', 'NotBilled', 'NotSent', 'InDoubt')");
                table.HasCheckConstraint("ck_paid_try_money", "reserved_micro_usd >= 0 AND spent_micro_usd >= 0");
                table.HasCheckConstraint("ck_paid_try_free", "state NOT IN ('NotBilled', 'NotSent') OR spent_micro_usd = 0");
                table.HasCheckConstraint("ck_paid_try_ended", "ended_at IS NOT NULL");
            });
            attempt.HasKey(row => row.TryId);
            attempt.Property(row => row.CallKey).HasMaxLength(64);
            attempt.Property(row => row.State).HasMaxLength(16);
            attempt.HasIndex(row => row.AuditId);
            attempt.HasIndex(row => row.SentAt);
        });

        modelBuilder.Entity<AskedBatch>(batch =>
        {
            batch.ToTable("batch");
            batch.HasKey(row => row.BatchId);
            batch.HasIndex(row => new { row.Engine, row.AuditId, row.ReceivedAt, row.BatchId }).HasDatabaseName("ix_batch_open").HasFilter("finished_at IS NULL");
            batch.HasIndex(row => row.AuditId);
            batch.HasIndex(row => row.FinishedAt);
        });

        modelBuilder.Entity<AskedQuestion>(question =>
        {
            question.ToTable("batch_call");
            question.HasKey(row => new { row.BatchId, row.Position });
            question.Property(row => row.CallKey).HasMaxLength(64);
        });

        modelBuilder.Entity<GatewayInstance>(instance =>
        {
            instance.ToTable("gateway_instance", table => table.HasCheckConstraint("ck_gateway_instance_swept", "swept_at IS NULL OR dead_at IS NOT NULL"));
            instance.HasKey(row => row.Owner);
        });

        modelBuilder.Entity<EnginePause>(pause => pause.HasKey(row => row.Engine));

        modelBuilder.Entity<EngineLimit>(limit =>
        {
            limit.ToTable("engine_limit", table => table.HasCheckConstraint("ck_engine_limit_positive", "max_concurrency >= 1 AND requests_per_minute >= 1 AND tokens_per_minute >= 1"));
            limit.HasKey(row => row.Engine);
        });

        modelBuilder.Entity<EngineChanged>(change =>
        {
            change.ToTable("engine_change", table => table.HasCheckConstraint("ck_engine_change_change", "change IN ('Paused', 'Resumed', 'LimitsSet')"));
            change.HasKey(row => row.ChangeId);
            change.Property(row => row.Change).HasMaxLength(16);
        });

        modelBuilder.Entity<SpendingHalt>(halt =>
        {
            halt.ToTable("spending_halt", table =>
            {
                table.HasCheckConstraint("ck_spending_halt_single", "id = 1");
                table.HasCheckConstraint("ck_spending_halt_restored", "lost_sequence IS NULL OR (halted = 1 AND loss_found_at IS NOT NULL)");
                table.HasCheckConstraint("ck_spending_halt_said", "halted = 0 OR (reason IS NOT NULL AND halted_at IS NOT NULL)");
            });
            halt.HasKey(row => row.Id);
            halt.Property(row => row.Id).ValueGeneratedNever();
            halt.HasData(new SpendingHalt { Id = SpendingHalt.SingleId });
        });
    }
}

/// <summary>The ledger on PostgreSQL; carries that provider's migrations.</summary>
public sealed class PostgreSqlLlmGatewayDbContext(DbContextOptions<PostgreSqlLlmGatewayDbContext> options) : LlmGatewayDbContext(options);

/// <summary>The ledger on SQLite; carries that provider's migrations.</summary>
public sealed class SqliteLlmGatewayDbContext(DbContextOptions<SqliteLlmGatewayDbContext> options) : LlmGatewayDbContext(options);
