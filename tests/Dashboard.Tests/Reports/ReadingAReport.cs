using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Api;
using Assay.Dashboard.Tests.Hosting;

namespace Assay.Dashboard.Tests.Reports;

[Collection(nameof(OneHost))]
public sealed class ASecondOpinion(DashboardHost host)
{
    [Fact]
    public async Task Should_be_shown_with_its_agreement_beside_the_reading_and_exported()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Judged(id), Sample.Judged(id) with { Asked = 99 });
        await host.CompletedAuditAsync(auditId: id);
        await host.EventuallyAsync(db => Task.FromResult(db.Judgements.Any(j => j.AuditId == id)), "the opinions are projected");
        using var person = await host.PersonAsync(Roles.Viewer);

        var page = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));
        page.ShouldContain("Second opinion");
        page.ShouldContain("0.12 to &#x2B;0.70");
        page.ShouldContain("1 answer on which they differ");
        page.ShouldNotContain(">99<");

        (await person.GetStringAsync(new Uri($"/audits/{id}/answers/key-claude-q002", UriKind.Relative))).ShouldContain("They differ.");
        (await person.GetStringAsync(new Uri($"/audits/{id}/answers/key-chatgpt-q001", UriKind.Relative))).ShouldContain("They agree.");
        (await person.GetStringAsync(new Uri($"/audits/{id}/answers/key-chatgpt-q002", UriKind.Relative))).ShouldContain("it judged another answer");
        (await person.GetStringAsync(new Uri($"/audits/{id}/answers/key-claude-q001", UriKind.Relative))).ShouldNotContain("Second opinion");

        using var program = await host.ProgramAsync(Roles.Viewer);
        using var report = JsonDocument.Parse(await program.GetStringAsync(new Uri($"/api/audits/{id}/report?format=json", UriKind.Relative)));
        var judge = report.RootElement.GetProperty("judge");
        judge.GetProperty("asked").GetInt32().ShouldBe(4);
        judge.GetProperty("recommendationKappa").GetProperty("low").GetDouble().ShouldBe(0.12);
        judge.GetProperty("sentimentKappa").GetProperty("value").ValueKind.ShouldBe(JsonValueKind.Null);
        judge.GetProperty("disagreements")[0].GetProperty("callKey").GetString().ShouldBe("key-claude-q002");
        report.RootElement.GetProperty("answers").EnumerateArray().Single(a => a.GetProperty("callKey").GetString() == "key-claude-q002").GetProperty("judge").GetProperty("recommendation").GetDouble().ShouldBe(0.5);

        var csv = (await program.GetStringAsync(new Uri($"/api/audits/{id}/report?format=csv", UriKind.Relative))).Split("\r\n");
        csv[0].ShouldEndWith("judgedRecommendation,judgedSentiment,judgeDisagrees");
        csv.Single(line => line.Contains("key-claude-q002", StringComparison.Ordinal)).ShouldEndWith("0.5,1,true");
        csv.Single(line => line.Contains("key-claude-q001", StringComparison.Ordinal)).ShouldEndWith(",,");
    }
}

[Collection(nameof(OneHost))]
public sealed class AnAuditThatFailedHalfWay(DashboardHost host)
{
    [Fact]
    public async Task Should_show_scores_over_what_was_answered_and_say_that_they_are_partial()
    {
        var id = Guid.CreateVersion7();
        await host.SayAsync(Sample.Registered(id), Sample.Accepted(id), Sample.Planned(id), Sample.Described(id, Guid.CreateVersion7(), "chatgpt"), Sample.Failed(id));
        await host.EventuallyAsync(db => Task.FromResult(db.Audits.Any(a => a.AuditId == id && a.Status == AuditStates.Failed) && db.Answers.Count(a => a.AuditId == id) == 2), "it failed with two answers");
        using var person = await host.PersonAsync(Roles.Viewer);

        var page = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));
        page.ShouldContain("Scores (partial)");
        page.ShouldContain("62 %");
        page.ShouldContain("2 valid answers");

        using var program = await host.ProgramAsync(Roles.Viewer);
        using var report = JsonDocument.Parse(await program.GetStringAsync(new Uri($"/api/audits/{id}/report", UriKind.Relative)));
        report.RootElement.GetProperty("partial").GetBoolean().ShouldBeTrue();
        report.RootElement.GetProperty("scores").GetProperty("visibility").GetProperty("value").GetDouble().ShouldBe(0.62);
    }
}

[Collection(nameof(OneHost))]
public sealed partial class ANumberOfAReport(DashboardHost host)
{
    [Fact]
    public async Task Should_open_the_answers_behind_it()
    {
        var id = await host.CompletedAuditAsync();
        using var person = await host.PersonAsync(Roles.Viewer);
        var page = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));
        var links = AnswerLinks().Matches(page).Select(link => WebUtility.HtmlDecode(link.Groups["path"].Value)).Distinct(StringComparer.Ordinal).ToList();

        links.ShouldContain($"/audits/{id}/answers?metric=visibility");
        links.ShouldContain($"/audits/{id}/answers?metric=visibility&of=Sony");
        links.ShouldContain($"/audits/{id}/answers?engine=chatgpt&metric=visibility");
        links.ShouldContain($"/audits/{id}/answers?category=given&metric=visibility");
        links.ShouldContain($"/audits/{id}/answers?domain=example.org");
        foreach (var link in links)
        {
            using var answers = await person.GetAsync(new Uri(link, UriKind.Relative));
            answers.StatusCode.ShouldBe(HttpStatusCode.OK, link);
            (await answers.Content.ReadAsStringAsync()).ShouldContain("key-", Case.Sensitive, $"no answer behind {link}");
        }
    }

    [Fact]
    public async Task Should_say_what_changed_since_the_audit_before_paired_by_query()
    {
        var brand = "Brand " + Guid.NewGuid().ToString("N")[..8];
        var before = await host.CompletedAuditAsync(brand);
        var id = await host.CompletedAuditAsync(brand);
        using var person = await host.PersonAsync(Roles.Viewer);
        var first = await person.GetStringAsync(new Uri($"/audits/{before}", UriKind.Relative));
        var second = await person.GetStringAsync(new Uri($"/audits/{id}", UriKind.Relative));

        // Both samples begin at one moment; the one that is asked about is the later of the two.
        var page = first.Contains("shared queries", StringComparison.Ordinal) ? first : second;
        page.ShouldContain("no detectable change");
        page.ShouldContain("▲ &#x2B;0.30 (&#x2B;0.20 to &#x2B;0.40)");
        page.ShouldContain("paired on 2 shared queries");
        page.ShouldContain("data-chart");
        page.ShouldContain("Visibility over the last 2 audits");
    }

    [GeneratedRegex("href=\"(?<path>/audits/[0-9a-f-]+/answers\\?[^\"]*)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AnswerLinks();
}
