using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Rebuild;

/// <summary>What the other services tell after the read model's database was lost.</summary>
public sealed class LosingTheReadModel(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_bring_back_how_earlier_attempts_ended_and_a_judges_opinions_after_everything_was_lost()
    {
        var id = await host.CompletedAuditAsync("Lost");
        // Nothing is left of the audit: as after the loss of the read model's database.
        await host.EventuallyAsync(async db =>
        {
            await db.Audits.Where(row => row.AuditId == id).ExecuteDeleteAsync();
            await db.AttemptEnds.Where(row => row.AuditId == id).ExecuteDeleteAsync();
            await db.Transitions.Where(row => row.AuditId == id).ExecuteDeleteAsync();
            await db.Judgements.Where(row => row.AuditId == id).ExecuteDeleteAsync();
            return true;
        }, "the audit is lost");
        host.Neighbours.OnDescribeAgain = asked => asked == id ? [Sample.Described(id, Guid.CreateVersion7(), "claude", 3), Sample.Judged(id, 2)] : [];
        await host.SayAsync(new RepairReadModel
        {
            AuditId = id, Attempt = 3, Registered = Sample.Registered(id, 3, request: Sample.Request(id, "Lost")), Accepted = Sample.Accepted(id, 3), Completed = Sample.Completed(id, 3), SpentMicroUsd = 40_000, Pieces = true,
            Transitions =
            [
                Sample.Transitioned(id, 1, AuditStates.Asking, AuditStates.Failed), Sample.Transitioned(id, 2, AuditStates.Failed, AuditStates.Asking, 2),
                Sample.Transitioned(id, 3, AuditStates.Asking, AuditStates.Failed, 2), Sample.Transitioned(id, 4, AuditStates.Failed, AuditStates.Asking, 3),
            ],
            EarlierEnds =
            [
                new EarlierEnd { Attempt = 1, Status = AuditStates.Failed, Phase = AuditStates.Asking, Trigger = "AuditStalled", Reason = FailureReasons.Stalled, EndedAt = Sample.At(1) },
                new EarlierEnd { Attempt = 2, Status = AuditStates.Failed, Phase = AuditStates.Asking, Trigger = "DeadlineWatch", EndedAt = Sample.At(3) },
            ],
        });

        await host.EventuallyAsync(db => db.Judgements.AnyAsync(row => row.AuditId == id && row.Attempt == 2), "the judge's opinions are told again");
        await host.EventuallyAsync(db => db.Answers.AnyAsync(row => row.AuditId == id && row.Attempt == 3), "and the answers");
        using var program = await host.ProgramAsync(Roles.Viewer);
        using var status = JsonDocument.Parse(await program.GetStringAsync(new Uri($"/api/audits/{id}", UriKind.Relative)));
        status.RootElement.GetProperty("attemptEnds").EnumerateArray().Select(end => (end.GetProperty("attempt").GetInt32(), end.GetProperty("status").GetString(), end.GetProperty("reason").GetString()))
            .ShouldBe([(1, AuditStates.Failed, FailureReasons.Stalled), (2, AuditStates.Failed, null), (3, AuditStates.Completed, null)]);
        using var person = await host.PersonAsync(Roles.Viewer);
        var page = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));
        page.ShouldContain("Stalled</b> while Asking");
        page.ShouldContain("Ended by DeadlineWatch.");
        page.ShouldContain("Second opinion of a language model");
        (await person.GetStringAsync(new Uri($"/audits/{id}/answers/key-claude-q002", UriKind.Relative))).ShouldContain("They differ.");
    }

    [Fact]
    public async Task Should_not_replace_the_end_of_an_attempt_that_is_known()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Failed(id));
        await host.EventuallyAsync(db => db.AttemptEnds.AnyAsync(end => end.AuditId == id), "attempt 1 failed");
        await host.SayAsync(new RepairReadModel
        {
            AuditId = id, Attempt = 2, Registered = Sample.Registered(id, 2), Accepted = Sample.Accepted(id, 2), Transitions = [], Failed = Sample.Failed(id, 2, 80), Pieces = false,
            EarlierEnds = [new EarlierEnd { Attempt = 1, Status = AuditStates.Failed, Phase = AuditStates.Asking, Trigger = "AuditStalled", Reason = FailureReasons.Stalled, EndedAt = Sample.At(50) }],
        });
        await host.EventuallyAsync(db => db.AttemptEnds.AnyAsync(end => end.AuditId == id && end.Attempt == 2), "attempt 2 is told");
        await host.EventuallyAsync(db => db.AttemptEnds.AnyAsync(end => end.AuditId == id && end.Attempt == 1 && end.Detail == "Nothing moved for 5 minutes." && end.SpentMicroUsd == 20_000), "attempt 1 keeps its words and its money");
    }

    [Fact]
    public void Should_read_what_a_saga_before_this_one_tells() =>
        JsonSerializer.Deserialize<RepairReadModel>($$"""{ "auditId": "{{Guid.CreateVersion7()}}", "attempt": 2, "transitions": [], "pieces": false }""", AssayJson.Options)!.EarlierEnds.ShouldBeEmpty();
}
