using System.Net;
using Assay.Dashboard.Tests.Hosting;

namespace Assay.Dashboard.Tests.Access;

public sealed class WhenSomebodyGuessesKeys : IAsyncLifetime
{
    readonly DashboardHost host = new() { Settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Dashboard:SignInsPerMinute"] = "3" } };

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Should_count_tries_only_and_not_looks_at_the_form()
    {
        using var stranger = host.Stranger();
        var form = "";
        for (var i = 0; i < 6; i++)
            form = await stranger.GetStringAsync(new Uri("/login", UriKind.Relative));
        using var tried = await stranger.PostAsync(new Uri("/login", UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", APage.TokenField().Match(form).Groups["value"].Value), new("key", "assay_guess")]));
        tried.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Should_be_held_off_after_a_few_tries()
    {
        using var stranger = host.Stranger();
        List<HttpStatusCode> answers = [];
        for (var i = 0; i < 6; i++)
        {
            using var answer = await stranger.GetAsync(new Uri($"/login?token=guess{i}", UriKind.Relative));
            answers.Add(answer.StatusCode);
        }

        // A window may turn over between two tries, so at least one is held off and at most two windows were used.
        answers.Count(status => status == HttpStatusCode.Forbidden).ShouldBeInRange(3, 5);
        answers.ShouldContain(HttpStatusCode.TooManyRequests);
        using var health = await stranger.GetAsync(new Uri("/health/live", UriKind.Relative));
        health.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
