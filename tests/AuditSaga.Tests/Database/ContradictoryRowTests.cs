using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.Contracts;
using Assay.TestServers;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Database;

public sealed class When_a_row_contradicts_itself_on_SQLite : ContradictoryRows, IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("assay-rows-").FullName;

    protected override Task<AuditSagaDbContext> OpenAsync() => Task.FromResult<AuditSagaDbContext>(new SqliteAuditSagaDbContext(
        (DbContextOptions<SqliteAuditSagaDbContext>)new DbContextOptionsBuilder<SqliteAuditSagaDbContext>().UseAssaySqlite($"Data Source={Path.Combine(folder, "saga.db")};Pooling=False").Options));

    public void Dispose() => Directory.Delete(folder, recursive: true);
}

[Trait("Needs", "Servers")]
public sealed class When_a_row_contradicts_itself_on_PostgreSQL : ContradictoryRows
{
    protected override async Task<AuditSagaDbContext> OpenAsync() => new PostgreSqlAuditSagaDbContext(
        (DbContextOptions<PostgreSqlAuditSagaDbContext>)new DbContextOptionsBuilder<PostgreSqlAuditSagaDbContext>().UseAssayPostgres(await (await PrivatePostgres.Shared).CreateDatabaseAsync("rows")).Options);
}

/// <summary>The database itself refuses what may never be true, whoever writes it.</summary>
public abstract class ContradictoryRows
{
    protected abstract Task<AuditSagaDbContext> OpenAsync();

    async Task<AuditSagaDbContext> WithOneAuditAsync()
    {
        var database = await OpenAsync();
        await database.Database.MigrateAsync();
        var now = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);
        var audit = new AuditState
        {
            CorrelationId = Guid.NewGuid(),
            CurrentState = AuditStates.Asking,
            Kind = AuditKinds.Brand,
            BrandKey = "anker.com",
            MinCoverage = 0.8,
            DeadlineMinutes = 30,
            PlanId = Guid.NewGuid(),
            ScoreId = Guid.NewGuid(),
            MetricsVersion = "metrics-v1",
            Coverage = Given.Coverage(6, 6),
            AnswersComplete = true,
            DraftedLayers = 3,
            RegisteredAt = now,
        };
        audit.StartAttempt(1, now);
        database.Audits.Add(audit);
        await database.SaveChangesAsync();
        return database;
    }

    static async Task<bool> IsAcceptedAsync(AuditSagaDbContext database, string update)
    {
        try
        {
#pragma warning disable EF1002 // The statements are the test's own.
            // Braces are placeholders to EF, not to the databases.
            await database.Database.ExecuteSqlRawAsync(update.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));
#pragma warning restore EF1002
            return true;
        }
        catch (System.Data.Common.DbException exception) when (exception.SqlState == "23514" || exception.Message.Contains("CHECK constraint failed", StringComparison.Ordinal))
        {
            return false;
        }
    }

    [Fact]
    public async Task Should_refuse_every_contradiction_of_state_time_scores_and_reason()
    {
        await using var database = await WithOneAuditAsync();
        bool[] both = [false, true];
        var combinations =
            from state in AuditPhases.Live.Concat(AuditPhases.Terminal)
            from completed in both
            from scores in both
            from reason in both
            from ended in both
            select (state, completed, scores, reason, ended);

        foreach (var (state, completed, scores, reason, ended) in combinations)
        {
            var isTrue = state switch
            {
                AuditStates.Completed => completed && scores && ended && !reason,
                AuditStates.Failed or AuditStates.Rejected => !completed && ended && reason,
                AuditStates.Cancelled => !completed && ended && !reason,
                _ => !completed && !ended && !reason,
            };
            var update = $$"""
                UPDATE audit SET current_state = '{{state}}', completed_at = {{(completed ? "'2026-03-01 12:00:00+00'" : "NULL")}}, scores = {{(scores ? "'{\"visibility\":{}}'" : "NULL")}},
                    failure_reason = {{(reason ? "'Stalled'" : "NULL")}}, ended_at = {{(ended ? "'2026-03-01 12:00:00+00'" : "NULL")}}, ended_by = {{(ended ? "'watch'" : "NULL")}}
                """;
            (await IsAcceptedAsync(database, update)).ShouldBe(isTrue, update);
        }
    }

    [Theory]
    [InlineData("scores = '{}'")]
    [InlineData("scores = 'null'")]
    [InlineData("scores = ''")]
    [InlineData("score_id = NULL")]
    [InlineData("metrics_version = NULL")]
    [InlineData("coverage = NULL")]
    [InlineData("coverage = '{}'")]
    [InlineData("coverage = 'null'")]
    [InlineData("coverage = ''")]
    [InlineData("answers_complete = FALSE")]
    [InlineData("drafted_layers = 2")]
    [InlineData("open_batches = '{\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\":0}'")]
    [InlineData("ended_by = NULL")]
    public async Task Should_refuse_a_completed_audit_without(string fact)
    {
        await using var database = await WithOneAuditAsync();
        const string Complete = "UPDATE audit SET current_state = 'Completed', completed_at = '2026-03-01 12:00:00+00', ended_at = '2026-03-01 12:00:00+00', ended_by = 'completion', scores = '{\"visibility\":{}}'";
        (await IsAcceptedAsync(database, Complete)).ShouldBeTrue();
        (await IsAcceptedAsync(database, $"UPDATE audit SET {fact}")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("current_state = 'Initial'")]
    [InlineData("current_state = 'processing'")]
    [InlineData("current_state = 'Failed', failure_reason = '', ended_at = '2026-03-01 12:00:00+00', ended_by = 'watch'")]
    [InlineData("plan_id = NULL")]
    [InlineData("current_state = 'Scoring', answers_complete = FALSE")]
    [InlineData("current_state = 'Publishing', score_id = NULL")]
    [InlineData("erased_at = '2026-03-01 12:00:00+00'")]
    [InlineData("attempt = 0")]
    [InlineData("uncounted_attempts = 1")]
    [InlineData("depth = -1")]
    [InlineData("depth = 1")]
    [InlineData("parent_audit_id = audit_id")]
    [InlineData("ceiling_micro_usd = -1")]
    [InlineData("settled_micro_usd = -1")]
    public async Task Should_refuse_a_live_audit_with(string contradiction)
    {
        await using var database = await WithOneAuditAsync();
        (await IsAcceptedAsync(database, $"UPDATE audit SET {contradiction}")).ShouldBeFalse();
    }

    [Fact]
    public async Task Should_hold_one_live_audit_for_a_brand_kind_and_panel()
    {
        await using var database = await WithOneAuditAsync();
        database.LiveAudits.Add(new LiveAudit { AuditId = Guid.NewGuid(), BrandKey = "anker.com", Kind = "brand", PanelHash = "p" });
        database.LiveAudits.Add(new LiveAudit { AuditId = Guid.NewGuid(), BrandKey = "anker.com", Kind = "product", PanelHash = "p" });
        await database.SaveChangesAsync();
        database.LiveAudits.Add(new LiveAudit { AuditId = Guid.NewGuid(), BrandKey = "anker.com", Kind = "brand", PanelHash = "p" });
        await Should.ThrowAsync<DbUpdateException>(() => database.SaveChangesAsync());
    }

    [Fact]
    public async Task Should_never_count_a_tree_below_zero()
    {
        await using var database = await WithOneAuditAsync();
        database.LineageTrees.Add(new LineageTree { TrackingId = Guid.NewGuid(), Size = 0 });
        await database.SaveChangesAsync();
        (await IsAcceptedAsync(database, "UPDATE lineage_tree SET size = size - 1")).ShouldBeFalse();
    }
}
