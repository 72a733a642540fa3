using System.Globalization;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;
using Assay.Dashboard.Projections;
using Assay.Dashboard.Tests.Hosting;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Dashboard.Tests.Projections;

/// <summary>What is told about audits, in one transaction or in many.</summary>
public abstract class ProjectingTogether : IAsyncLifetime
{
    DashboardHost host = null!;

    protected abstract Task<DashboardHost> StartAsync();

    public async Task InitializeAsync() => host = await StartAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    ProjectionQueue Queue => host.Services.GetRequiredService<ProjectionQueue>();

    Task ProjectAsync(Guid auditId, object message) => Queue.ProjectAsync(new Told(auditId, message, Sample.At(65))).WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>An audit that fails once, is tried again with some of its answers kept, and completes.</summary>
    static List<object> Everything(Guid id)
    {
        Guid[] batches = [Part(id, 1), Part(id, 2), Part(id, 3)];
        return
        [
            Sample.Registered(id), Sample.Transitioned(id, 1, "Initial", AuditStates.Admitting), Sample.Accepted(id) with { DeadlineAt = Sample.At(1800) }, Sample.Transitioned(id, 2, AuditStates.Admitting, AuditStates.Planning),
            Sample.Planned(id) with { PlanId = id }, Sample.Transitioned(id, 3, AuditStates.Planning, AuditStates.Asking),
            Sample.Progressed(id, AuditStates.Asking, 0, at: 5), Alive(id, batches[0], 1, "chatgpt", 1, 8), Sample.Budget(id, 1, 10_000, final: false, reserved: 30_000), Alive(id, batches[0], 1, "chatgpt", 2, 9),
            Sample.Described(id, batches[0], "chatgpt"), Alive(id, batches[1], 1, "claude", 0, 9), Sample.Progressed(id, AuditStates.Asking, 2, at: 10),
            Sample.Transitioned(id, 4, AuditStates.Asking, AuditStates.Failed), Sample.Budget(id, 2, 20_000, final: true), Sample.Failed(id),
            Sample.Registered(id, attempt: 2, at: 52), Sample.Accepted(id, attempt: 2, at: 53) with { DeadlineAt = Sample.At(1852) }, Sample.Transitioned(id, 5, AuditStates.Failed, AuditStates.Asking, attempt: 2),
            Sample.Described(id, batches[2], "claude", 2), Sample.Progressed(id, AuditStates.Scoring, 4, at: 55, attempt: 2), Sample.Transitioned(id, 6, AuditStates.Asking, AuditStates.Scoring, attempt: 2),
            Sample.Scored(id, Part(id, 4), 2), Sample.Transitioned(id, 7, AuditStates.Scoring, AuditStates.Advising, attempt: 2),
            Sample.Insights(id, 1, 2), Sample.Insights(id, 2, 2), Sample.Insights(id, 3, 2), Sample.Judged(id, 2),
            Sample.Transitioned(id, 8, AuditStates.Advising, AuditStates.Publishing, attempt: 2), Sample.Manifest(id, Part(id, 4), [batches[0], batches[2]], attempt: 2),
            Sample.Budget(id, 3, 40_000, final: true, attempt: 2), Sample.Transitioned(id, 9, AuditStates.Publishing, AuditStates.Completed, attempt: 2), Sample.Completed(id, 2, at: 70),
        ];
    }

    static Guid Part(Guid id, byte number)
    {
        var bytes = id.ToByteArray();
        bytes[15] ^= number;
        return new Guid(bytes);
    }

    static BatchAlive Alive(Guid id, Guid batch, int attempt, string engine, int decided, double at) => new()
    {
        AuditId = id, Attempt = attempt, BatchId = batch, Engine = engine, DecidedCalls = decided, TotalCalls = 2, SpentMicroUsd = decided * 1000, Worker = "w1", At = Sample.At(at), WaitingFor = "a slot",
    };

    /// <summary>Everything the read model holds of an audit, without what counts or times the projecting itself.</summary>
    async Task<string> DumpAsync(Guid id)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var audit = await db.Audits.AsNoTracking().SingleAsync(row => row.AuditId == id);
        object[] all =
        [
            audit with { Version = 0, UpdatedAt = default, Decisions = 0 },
            await db.Panels.Where(row => row.AuditId == id).ToListAsync(), await db.Batches.Where(row => row.AuditId == id).OrderBy(row => row.Engine).ToListAsync(),
            // A sign of life that comes after the batch's answers tells nothing any more, not even its worker.
            await db.BatchProgress.Where(row => row.AuditId == id).OrderBy(row => row.Engine).ThenBy(row => row.Attempt).Select(row => new { row.BatchId, row.Attempt, row.Engine, row.DecidedCalls, row.TotalCalls, row.WaitingFor, row.At }).ToListAsync(),
            await db.Answers.Where(row => row.AuditId == id).OrderBy(row => row.CallKey).ToListAsync(), await db.Scores.Where(row => row.AuditId == id).ToListAsync(),
            await db.InsightLayers.Where(row => row.AuditId == id).OrderBy(row => row.Layer).ToListAsync(), await db.Judgements.Where(row => row.AuditId == id).ToListAsync(),
            await db.Transitions.Where(row => row.AuditId == id).OrderBy(row => row.Sequence).ToListAsync(), await db.AttemptEnds.Where(row => row.AuditId == id).OrderBy(row => row.Attempt).ToListAsync(),
            (await db.Manifests.Where(row => row.AuditId == id).ToListAsync()).Select(row => new { row.Attempt, row.Json, Published = row.PublishedAt is not null }),
        ];
        var text = JsonSerializer.Serialize(all, all.GetType());
        foreach (var part in Enumerable.Range(0, 5))
            text = text.Replace(Part(id, (byte)part).ToString(), part.ToString("'part-'0", CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return text;
    }

    [Fact]
    public async Task Should_end_in_the_same_rows_as_one_by_one_in_any_grouping()
    {
        var (alone, together, mixed) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var message in Everything(alone))
            await ProjectAsync(alone, message);
        await Task.WhenAll(Everything(together).Select(message => ProjectAsync(together, message)));
        // Every message twice, in an order nobody planned, in groups of any size. Only the end of the past stays before what follows it.
        var random = new Random(7);
        var shuffled = Everything(mixed).Concat(Everything(mixed)).ToArray();
        random.Shuffle(shuffled);
        foreach (var group in shuffled.Chunk(9))
            await Task.WhenAll(group.Select(message => ProjectAsync(mixed, message)));

        var expected = await DumpAsync(alone);
        expected.ShouldContain("\"Status\":\"Completed\"");
        expected.ShouldContain("\"Published\":true");
        (await DumpAsync(together)).ShouldBe(expected);
        (await DumpAsync(mixed)).ShouldBe(expected);
        await host.EventuallyAsync(_ => Task.FromResult(new[] { alone, together, mixed }.All(id => host.Heard<ReportPublished>(m => m.AuditId == id && m.Attempt == 2) >= 1)), "each report is answered for");
    }

    [Fact]
    public async Task Should_write_an_audits_row_once_for_what_is_told_at_once()
    {
        var id = Guid.CreateVersion7();
        await Task.WhenAll(Enumerable.Range(1, 40).Select(i => ProjectAsync(id, Sample.Progressed(id, AuditStates.Asking, i % 4, at: i))));

        await using var scope = host.Services.CreateAsyncScope();
        var row = await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().Audits.SingleAsync(audit => audit.AuditId == id);
        row.Version.ShouldBe(1);
        row.LastProgressAt.ShouldBe(Sample.At(40));
    }

    [Fact]
    public async Task Should_write_nothing_for_what_tells_nothing_new()
    {
        var id = Guid.CreateVersion7();
        await ProjectAsync(id, Sample.Budget(id, 5, 20_000, final: false));
        await ProjectAsync(id, Sample.Budget(id, 4, 10_000, final: false));

        await using var scope = host.Services.CreateAsyncScope();
        (await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().Audits.SingleAsync(audit => audit.AuditId == id)).Version.ShouldBe(1);
    }

    [Fact]
    public async Task Should_announce_an_end_once_however_often_it_is_told()
    {
        var id = Guid.CreateVersion7();
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        db.Webhooks.Add(new WebhookRow { WebhookId = Guid.CreateVersion7(), Url = "https://127.0.0.1:1/assay", Secret = "secret", CreatedBy = "tests", CreatedAt = Sample.Start });
        await db.SaveChangesAsync();

        await ProjectAsync(id, Sample.Completed(id));
        await ProjectAsync(id, Sample.Completed(id));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ProjectAsync(id, Sample.Completed(id))));

        (await db.WebhookDeliveries.CountAsync(delivery => delivery.AuditId == id)).ShouldBe(1);
        (await db.AttemptEnds.CountAsync(end => end.AuditId == id)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_not_let_one_that_cannot_be_stored_stop_the_others()
    {
        var (good, bad) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var described = Sample.Described(bad, Guid.CreateVersion7(), "chatgpt", 1, Sample.Answer("chatgpt", 1) with { Outcome = "no such outcome" });
        var told = new[] { ProjectAsync(good, Sample.Registered(good)), ProjectAsync(bad, described), ProjectAsync(bad, Sample.Registered(bad)), ProjectAsync(good, Sample.Accepted(good)) };

        await Should.ThrowAsync<Exception>(told[1]);
        await Task.WhenAll(told[0], told[2], told[3]);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        (await db.Audits.CountAsync(audit => (audit.AuditId == good || audit.AuditId == bad) && audit.Status == AuditStates.Admitting)).ShouldBe(2);
        (await db.Batches.CountAsync(batch => batch.AuditId == bad)).ShouldBe(0);
    }

    [Fact]
    public async Task Should_keep_nothing_of_a_deleted_audit()
    {
        var (gone, kept) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            db.DeletedAudits.Add(new DeletedAuditRow { AuditId = gone, DeletedAt = Sample.Start, DeletedBy = "test" });
            await db.SaveChangesAsync();
        }

        await Task.WhenAll(Everything(gone).Select(message => ProjectAsync(gone, message)).Append(ProjectAsync(kept, Sample.Registered(kept))));
        await using var after = host.Services.CreateAsyncScope();
        var left = after.ServiceProvider.GetRequiredService<DashboardDbContext>();
        (await left.Audits.CountAsync(audit => audit.AuditId == gone)).ShouldBe(0);
        (await left.Answers.CountAsync(answer => answer.AuditId == gone)).ShouldBe(0);
        (await left.Transitions.CountAsync(step => step.AuditId == gone)).ShouldBe(0);
        (await left.Audits.CountAsync(audit => audit.AuditId == kept)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_complete_a_manifest_whose_last_pieces_come_together()
    {
        var id = Guid.CreateVersion7();
        var (score, batches) = (Guid.CreateVersion7(), new[] { Guid.CreateVersion7(), Guid.CreateVersion7() });
        await ProjectAsync(id, Sample.Registered(id));
        await ProjectAsync(id, Sample.Manifest(id, score, batches));
        await Task.WhenAll(ProjectAsync(id, Sample.Described(id, batches[0], "chatgpt")), ProjectAsync(id, Sample.Scored(id, score)), ProjectAsync(id, Sample.Insights(id, 1)), ProjectAsync(id, Sample.Insights(id, 2)));
        host.Heard<ReportPublished>(m => m.AuditId == id).ShouldBe(0);
        await Task.WhenAll(ProjectAsync(id, Sample.Described(id, batches[1], "claude")), ProjectAsync(id, Sample.Insights(id, 3)));
        await host.EventuallyAsync(_ => Task.FromResult(host.Heard<ReportPublished>(m => m.AuditId == id) == 1), "the report is answered for once");
    }
}

public sealed class ProjectingTogetherInAFile : ProjectingTogether
{
    protected override async Task<DashboardHost> StartAsync()
    {
        var host = new DashboardHost();
        await host.InitializeAsync();
        return host;
    }
}

[Trait("Needs", "Servers")]
public sealed class ProjectingTogetherOnAServer : ProjectingTogether
{
    protected override async Task<DashboardHost> StartAsync()
    {
        var host = new DashboardHost { Postgres = await (await PrivatePostgres.Shared).CreateDatabaseAsync("projections") };
        await host.InitializeAsync();
        return host;
    }

    [Fact]
    public async Task Should_lose_nothing_when_two_processes_project_the_same_audits()
    {
        var database = await (await PrivatePostgres.Shared).CreateDatabaseAsync("two");
        var hosts = new[] { new DashboardHost { Postgres = database }, new DashboardHost { Postgres = database } };
        foreach (var each in hosts)
            await each.InitializeAsync();
        try
        {
            var queues = hosts.Select(each => each.Services.GetRequiredService<ProjectionQueue>()).ToArray();
            Guid[] ids = [.. Enumerable.Range(0, 12).Select(_ => Guid.CreateVersion7())];
            var (score, batches) = (ids.ToDictionary(id => id, _ => Guid.CreateVersion7()), ids.ToDictionary(id => id, _ => new[] { Guid.CreateVersion7(), Guid.CreateVersion7() }));
            var messages = ids.SelectMany(id => new (Guid Id, object Message)[]
            {
                (id, Sample.Registered(id)), (id, Sample.Accepted(id)), (id, Sample.Described(id, batches[id][0], "chatgpt")), (id, Sample.Described(id, batches[id][1], "claude")),
                (id, Sample.Scored(id, score[id])), (id, Sample.Insights(id, 1)), (id, Sample.Insights(id, 2)), (id, Sample.Insights(id, 3)), (id, Sample.Manifest(id, score[id], batches[id])), (id, Sample.Completed(id)),
            }).ToArray();
            new Random(3).Shuffle(messages);
            await Parallel.ForEachAsync(messages.Select((message, i) => (message, i)), new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (x, _) =>
                await queues[x.i % 2].ProjectAsync(new Told(x.message.Id, x.message.Message, Sample.At(65))).WaitAsync(TimeSpan.FromSeconds(30), _));

            await using var scope = hosts[0].Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            (await db.Audits.CountAsync(audit => audit.Status == AuditStates.Completed && audit.ReportAttempt == 1)).ShouldBe(12);
            (await db.Manifests.CountAsync(manifest => manifest.PublishedAt != null)).ShouldBe(12);
            (await db.Answers.CountAsync()).ShouldBe(48);
        }
        finally
        {
            foreach (var each in hosts)
                await each.DisposeAsync();
        }
    }
}
