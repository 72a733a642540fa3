using System.Diagnostics;
using System.Net.Http.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Tests.Audits;

public sealed class TheTimeline : IAsyncLifetime
{
    readonly DashboardHost host = new() { Settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Dashboard:TraceUrl"] = "https://traces.example/trace/{traceId}" } };

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Should_show_each_attempt_with_its_worker_its_error_and_its_trace()
    {
        using var listener = new ActivityListener { ShouldListenTo = source => source.Name == "MassTransit", Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded };
        ActivitySource.AddActivityListener(listener);
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Transitioned(id, 1, AuditStates.Admitting, AuditStates.Planning), Sample.Transitioned(id, 2, AuditStates.Planning, AuditStates.Failed),
            new AuditFailed { AuditId = id, Attempt = 1, Reason = "Stalled", Detail = "Nothing moved for 5 minutes.", Phase = AuditStates.Planning, SpentUsd = 0.5m, FailedAt = Sample.At(60) });
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.Status == AuditStates.Failed), "attempt 1 failed");
        await host.SayAsync(Sample.Registered(id, 2, 100), Sample.Accepted(id, 2, 101), Sample.Transitioned(id, 3, AuditStates.Failed, AuditStates.Admitting, 2), Sample.Transitioned(id, 4, AuditStates.Admitting, AuditStates.Planning, 2));
        await host.EventuallyAsync(db => db.Transitions.AnyAsync(t => t.AuditId == id && t.Sequence == 4), "attempt 2 lives");

        using var person = await host.PersonAsync();
        var page = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));
        page.ShouldContain("Attempt 1");
        page.ShouldContain("Attempt 2");
        page.ShouldContain("Nothing moved for 5 minutes.");
        page.ShouldContain("$0.5000 spent by then");
        page.ShouldContain("w1");
        page.ShouldContain("woken by the analyzer");
        using var program = await host.ProgramAsync(Roles.Viewer);
        var status = (await program.GetFromJsonAsync<AuditStatus>(new Uri($"/api/audits/{id}", UriKind.Relative), AssayJson.Options))!;
        var trace = status.Transitions[0].TraceId.ShouldNotBeNull();
        page.ShouldContain($"https://traces.example/trace/{trace}");
        status.AttemptEnds.Single().ShouldBe(new AttemptEnd(1, AuditStates.Failed, "Stalled", "Nothing moved for 5 minutes.", AuditStates.Planning, Sample.At(60), 0.5m));
    }

    [Fact]
    public async Task Should_change_on_an_open_page_only_when_it_has_grown()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Transitioned(id, 1, AuditStates.Admitting, AuditStates.Planning), Sample.Transitioned(id, 2, AuditStates.Planning, AuditStates.Asking));
        await host.EventuallyAsync(db => db.Transitions.AnyAsync(t => t.AuditId == id && t.Sequence == 2), "it asks");
        using var person = await host.PersonAsync();
        (await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative))).ShouldContain("name=\"seen\" autocomplete=\"off\" value=\"2\"");

        // A swap would take the focus from whoever is on one of its links.
        (await person.GetStringAsync(new Uri($"/audits/{id}/live?seen=2", UriKind.Relative))).ShouldNotContain("hx-swap-oob");
        var grown = await person.GetStringAsync(new Uri($"/audits/{id}/live?seen=1", UriKind.Relative));
        grown.ShouldContain("id=\"audit-timeline\"");
        grown.ShouldNotContain("id=\"audit-actions\"");

        await host.SayAsync(new AuditFailed { AuditId = id, Attempt = 1, Reason = "Stalled", Detail = "Nothing moved for 5 minutes.", Phase = AuditStates.Asking, SpentUsd = 0.5m, FailedAt = Sample.At(60) });
        await host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.Status == AuditStates.Failed), "it failed");
        (await person.GetStringAsync(new Uri($"/audits/{id}/live?seen=2", UriKind.Relative))).ShouldContain("id=\"audit-actions\" hx-swap-oob=\"true\"");
    }
}
