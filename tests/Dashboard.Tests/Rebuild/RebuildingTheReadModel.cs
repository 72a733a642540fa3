using System.Net;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Access;
using Assay.Dashboard.Rebuild;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Rebuild;

public sealed class RebuildingTheReadModel(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_have_an_ended_audit_told_anew_after_an_operator_said_why_and_lose_nothing_that_is_not()
    {
        var (told, untold) = (await host.CompletedAuditAsync("Told again"), await host.CompletedAuditAsync("Not told again"));
        Guid[] batches = [Guid.CreateVersion7(), Guid.CreateVersion7()];
        var score = Guid.CreateVersion7();
        await host.EventuallyAsync(async db =>
        {
            batches = await db.Batches.Where(batch => batch.AuditId == told).OrderBy(batch => batch.Engine).Select(batch => batch.BatchId).ToArrayAsync();
            score = await db.Scores.Where(row => row.AuditId == told).Select(row => row.ScoreId).SingleAsync();
            // What somebody broke by hand.
            await db.Answers.Where(answer => answer.AuditId == told && answer.CallKey == "key-claude-q001").ExecuteUpdateAsync(set => set.SetProperty(answer => answer.Outcome, "refused"));
            await db.Audits.Where(audit => audit.AuditId == told).ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Brand, "Broken"));
            return true;
        }, "an audit is broken");
        host.Neighbours.OnCompare = check => check.Repair
            ? [new RepairReadModel
            {
                AuditId = told, Attempt = 1, Registered = Sample.Registered(told, request: Sample.Request(told, "Told again")), Accepted = Sample.Accepted(told), Transitions = [Sample.Transitioned(told, 3, AuditStates.Planning, AuditStates.Asking)],
                Completed = Sample.Completed(told), SpentMicroUsd = 40_000, Pieces = true,
            }]
            : [];
        host.Neighbours.OnDescribeAgain = id =>
        [
            Sample.Described(id, batches[0], "chatgpt"), Sample.Described(id, batches[1], "claude"), Sample.Scored(id, score), Sample.Insights(id, 1), Sample.Insights(id, 2), Sample.Insights(id, 3),
        ];

        using var viewer = await host.PersonAsync(Roles.Viewer);
        (await viewer.GetAsync(new Uri("/operations/read-model/rebuild", UriKind.Relative))).StatusCode.ShouldNotBe(HttpStatusCode.OK);
        using var program = await host.ProgramAsync(Roles.Operator);
        var rebuild = new Uri("/api/operations/read-model/rebuild", UriKind.Relative);
        (await DashboardHost.ReadAsync<RebuildStarted>(await program.PostAsJsonAsync(rebuild, new RebuildBody(null, DryRun: true)))).ShouldBe(new RebuildStarted(2, true));
        (await program.PostAsJsonAsync(rebuild, new RebuildBody(" "))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var person = await host.PersonAsync();
        var form = await person.GetStringAsync(new Uri("/operations/read-model/rebuild", UriKind.Relative));
        form.ShouldContain("Tell 2 audits anew");
        var token = APage.TokenField().Match(form).Groups["value"].Value;
        (await person.PostAsync(new Uri("/operations/read-model/rebuild", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("reason", "")]))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.PostAsync(new Uri("/operations/read-model/rebuild", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("reason", "it shows a wrong brand")]))).StatusCode.ShouldBe(HttpStatusCode.Redirect);

        await host.EventuallyAsync(db => db.Audits.AnyAsync(audit => audit.AuditId == told && audit.Brand == "Told again" && audit.ReportAttempt == 1), "the audit is told again, its report complete again");
        await host.EventuallyAsync(db => db.Answers.AnyAsync(answer => answer.AuditId == told && answer.CallKey == "key-claude-q001" && answer.Outcome == "valid"), "and its answers with it");
        await host.EventuallyAsync(async db => await db.Answers.CountAsync(answer => answer.AuditId == told && answer.Attempt == 1) == 4 && await db.OperatorActions.AnyAsync(act => act.Action == "rebuild read model" && act.Reason == "it shows a wrong brand"), "each once, and who asked is kept");
        host.Heard<DescribeAgain>(message => message.AuditId == told).ShouldBe(1);

        // The other one nobody told again: it is what it was, all of it.
        await host.EventuallyAsync(async db => await db.Audits.AnyAsync(audit => audit.AuditId == untold && audit.Status == AuditStates.Completed && audit.Brand == "Not told again" && audit.ReportAttempt == 1)
            && await db.Answers.CountAsync(answer => answer.AuditId == untold && answer.Attempt == 1) == 4, "what is not told again stays");
    }
}
