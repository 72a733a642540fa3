using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Tests.Hosting;
using Assay.TestServers;

namespace Assay.Dashboard.Tests.Operations;

/// <summary>A Dashboard on a real broker, beside a saga whose consumer fails until it is mended.</summary>
[Trait("Needs", "Servers")]
public sealed partial class WhenMessagesFaultOnABroker : IAsyncLifetime
{
    DashboardHost? host;
    bool broken = true;

    DashboardHost Dashboard => host!;

    public async Task InitializeAsync()
    {
        host = new DashboardHost { Broker = await PrivateRabbitMq.Shared };
        await Dashboard.InitializeAsync();
        Dashboard.Neighbours.OnRequest = request => broken ? throw new InvalidOperationException("The saga <b>cannot</b> read this.") : [Sample.Registered(request.AuditId, request: request), Sample.Accepted(request.AuditId)];
    }

    public Task DisposeAsync() => Dashboard.DisposeAsync();

    [Fact]
    public async Task Should_show_the_fault_and_send_again_with_a_reason_that_is_kept()
    {
        Guid[] audits = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        foreach (var audit in audits)
            await Dashboard.SayAsync(Sample.Request(audit));
        using var person = await Dashboard.PersonAsync();
        var page = await ShowsAsync(person, "3 messages again");
        page.ShouldContain("saga_error");
        page.ShouldContain("The saga &lt;b&gt;cannot&lt;/b&gt; read this.");
        page.ShouldContain("System.InvalidOperationException");
        page.ShouldContain($"/audits/{audits[0]}");
        (await person.GetStringAsync(new Uri("/operations", UriKind.Relative))).ShouldContain("saga_error");

        // One by one: the count comes first, no reason is refused.
        broken = false;
        var one = WebUtility.HtmlDecode(KeyLink().Match(page).Groups["link"].Value);
        var asked = await person.GetStringAsync(new Uri(one, UriKind.Relative));
        asked.ShouldContain("One message");
        using (var refused = await SendAsync(person, asked, null))
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using (var sent = await SendAsync(person, asked, "the saga is mended"))
            sent.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        await Dashboard.EventuallyAsync(db => Task.FromResult(db.Audits.Count(a => a.AcceptedAttempt == 1) == 1), "one request was consumed");
        await Dashboard.EventuallyAsync(db => Task.FromResult(db.OperatorActions.Any(a => a.Action == "send again" && a.Reason == "the saga is mended" && a.Who == "test person")), "who, why and when are kept");

        // The rest as a group, through the API.
        using var program = await Dashboard.ProgramAsync(Roles.Operator);
        var group = (await program.GetFromJsonAsync<FaultedOverview>(new Uri("/api/operations/messages", UriKind.Relative), AssayJson.Options))!.Queues.Single();
        group.Count.ShouldBe(2);
        using var counted = await program.PostAsJsonAsync(new Uri("/api/operations/messages/send-again", UriKind.Relative), new SendAgainBody("saga_error", null, "System.InvalidOperationException", null, null, true));
        (await DashboardHost.ReadAsync<SentAgain>(counted)).ShouldBe(new SentAgain(2, true));
        using var without = await program.PostAsJsonAsync(new Uri("/api/operations/messages/send-again", UriKind.Relative), new SendAgainBody("saga_error", null, null, null, " ", false));
        without.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var all = await program.PostAsJsonAsync(new Uri("/api/operations/messages/send-again", UriKind.Relative), new SendAgainBody("saga_error", null, "System.InvalidOperationException", null, "the rest too", false));
        (await DashboardHost.ReadAsync<SentAgain>(all)).ShouldBe(new SentAgain(2, false));
        await Dashboard.EventuallyAsync(db => Task.FromResult(db.Audits.Count(a => a.AcceptedAttempt == 1) == 3), "all requests were consumed");
        (await person.GetStringAsync(new Uri("/operations/messages", UriKind.Relative))).ShouldContain("No message was given up");
    }

    [Fact]
    public async Task Should_show_messages_to_operators_only()
    {
        using var viewer = await Dashboard.PersonAsync(Roles.Viewer);
        using var page = await viewer.GetAsync(new Uri("/operations/messages", UriKind.Relative));
        page.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var program = await Dashboard.ProgramAsync(Roles.Producer);
        using var api = await program.GetAsync(new Uri("/api/operations/messages", UriKind.Relative));
        api.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    static async Task<string> ShowsAsync(HttpClient person, string text)
    {
        var until = DateTime.UtcNow + TimeSpan.FromSeconds(60);
        while (true)
        {
            var page = await person.GetStringAsync(new Uri("/operations/messages", UriKind.Relative));
            if (page.Contains($"all {text.Split(' ')[0]} again", StringComparison.Ordinal))
                return page;
            if (DateTime.UtcNow > until)
                throw new TimeoutException($"The page does not offer to send {text}: {page}");
            await Task.Delay(200);
        }
    }

    static async Task<HttpResponseMessage> SendAsync(HttpClient person, string page, string? reason)
    {
        var fields = Field().Matches(page).DistinctBy(m => m.Groups["name"].Value).ToDictionary(m => m.Groups["name"].Value, m => WebUtility.HtmlDecode(m.Groups["value"].Value), StringComparer.Ordinal);
        using var form = new FormUrlEncodedContent([.. fields, new("reason", reason ?? "")]);
        return await person.PostAsync(new Uri("/operations/messages/send-again", UriKind.Relative), form);
    }

    [GeneratedRegex("href=\"(?<link>/operations/messages/send-again\\?queue=saga_error&amp;key=[^\"]+)\"", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex KeyLink();

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]+)\" value=\"(?<value>[^\"]*)\"", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Field();
}

public sealed class WhenMessagesLiveInMemory(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_say_so()
    {
        using var person = await host.PersonAsync();
        (await person.GetStringAsync(new Uri("/operations/messages", UriKind.Relative))).ShouldContain("keeps its messages in memory");
        (await person.GetStringAsync(new Uri("/operations", UriKind.Relative))).ShouldContain("keeps its messages in memory");
    }
}
