using System.Text.RegularExpressions;
using Assay.TestServers;
using Microsoft.Playwright;

namespace Assay.EndToEnd;

/// <summary>A person with a browser before the real stack: four services, RabbitMQ, PostgreSQL, and a provider that counts what is paid.</summary>
[Trait("Needs", "Servers")]
[Trait("Needs", "Shared")]
[Trait("Needs", "Browser")]
public sealed partial class ThePagesOfTheFourServices : IAsyncLifetime
{
    const string Chromium = "/usr/bin/chromium";
    FakeLlm? provider;
    AssayServices? services;
    IPlaywright? playwright;
    IBrowser? browser;
    IPage? page;

    IPage Page => page!;

    public async Task InitializeAsync()
    {
        if (!File.Exists(Chromium))
            throw new InvalidOperationException($"This test drives {Chromium}, which is not there. Install it (Debian: apt-get install chromium), or leave it out with --filter Needs!=Browser.");
        provider = await FakeLlm.StartAsync("latency=150");
        services = await AssayServices.StartAsync(await PrivatePostgres.Shared, await PrivateRabbitMq.Shared, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Engines__paid__Kind"] = "openai", ["Engines__paid__BaseUrl"] = $"{provider.BaseUrl}v1", ["Engines__paid__Model"] = "fake-1", ["Engines__paid__ApiKey"] = "not-a-key",
            ["Engines__paid__InputUsdPerMTok"] = "2.5", ["Engines__paid__OutputUsdPerMTok"] = "10", ["Engines__paid__MaxOutputTokens"] = "1000", ["Engines__paid__MaxConcurrency"] = "4",
            ["Engines__advisor__Kind"] = "scripted",
        });
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium, Headless = true,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        page = await browser.NewPageAsync(new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = 1440, Height = 900 } });
        page.SetDefaultTimeout(60_000);
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        if (services is not null)
            await services.DisposeAsync();
        if (provider is not null)
            await provider.DisposeAsync();
    }

    [Fact]
    public async Task Should_take_a_person_from_sign_in_to_the_answer_behind_a_number_and_let_them_steer()
    {
        try
        {
            await SteerAsync();
        }
        catch (Exception exception) when (exception is TimeoutException or PlaywrightException)
        {
            throw new InvalidOperationException($"{exception.Message}\nAt {Page.Url} the page said:\n{await Page.Locator("body").InnerTextAsync()}\n{string.Join('\n', services!.Instances.Select(instance => $"{instance.Service}: {instance.LogTail}"))}", exception);
        }
    }

    async Task SteerAsync()
    {
        // Refused, then signed in.
        await Page.GotoAsync(At("/"));
        await Page.FillAsync("input[name=key]", "assay_not_a_key_of_anybody");
        await Page.ClickAsync("button:has-text('Sign in')");
        await Page.GetByText("unknown or revoked").WaitForAsync();
        await Page.FillAsync("input[name=key]", services!.OperatorKey);
        await Page.ClickAsync("button:has-text('Sign in')");
        await Page.Locator("h1", new PageLocatorOptions { HasText = "Audits" }).WaitForAsync();

        // Created, watched to Completed without a reload.
        await RequestAsync("Anker", 3);
        await Page.Locator("li.now").First.WaitForAsync();
        await Page.Locator(".live-card").WaitForAsync();
        await Page.GetByText("Show the report").WaitForAsync(new LocatorWaitForOptions { Timeout = 120_000 });
        await Page.Locator(".pill.good", new PageLocatorOptions { HasText = "Completed" }).First.WaitForAsync();

        // From a number down to the highlighted answer.
        await Page.ClickAsync("a:has-text('Show the report')");
        await Page.Locator("section[aria-labelledby=engines] a:has-text('paid')").First.ClickAsync();
        await Page.Locator("table a").First.ClickAsync();
        await Page.Locator(".answer-text").WaitForAsync();
        (await provider!.StatsAsync()).GetProperty("duplicateBilled").GetInt32().ShouldBe(0);

        // Everything stopped: a new audit waits, and says for whom.
        await Page.ClickAsync("a.stop");
        await Page.FillAsync("input[name=reason]", "burning");
        await Page.ClickAsync("button:has-text('Stop all spending now')");
        await Page.GetByText("All spending is stopped").WaitForAsync();
        var billed = (await provider.StatsAsync()).GetProperty("billed").GetInt32();
        await RequestAsync("Refusedly", 2, expectAudit: false);
        await Page.GetByText("SpendingHalted").First.WaitForAsync();
        (await provider.StatsAsync()).GetProperty("billed").GetInt32().ShouldBe(billed);
        await Page.GotoAsync(At("/spending/resume"));
        await Page.FillAsync("input[name=reason]", "checked");
        await Page.ClickAsync("button:has-text('Allow spending')");
        await Page.GetByText("spending allowed").WaitForAsync();

        // A slow provider gives time to cancel; then the retry completes what is missing.
        await provider.ConfigureAsync(new { latencyMs = 8_000 });
        await RequestAsync("Cancelly", 6);
        await Page.Locator("li.now", new PageLocatorOptions { HasText = "Asking" }).WaitForAsync();
        await Page.ClickAsync("a:has-text('Cancel')");
        await Page.FillAsync("input[name=reason]", "not needed any more");
        await Page.ClickAsync("button:has-text('Cancel the audit')");
        await Page.GetByText("not needed any more").First.WaitForAsync();
        await provider.ConfigureAsync(new { latencyMs = 50 });
        await Page.ClickAsync("a:has-text('Retry')");
        await Page.FillAsync("input[name=reason]", "needed after all");
        await Page.ClickAsync("button:has-text('Start attempt 2')");
        await Page.Locator(".pill.good", new PageLocatorOptions { HasText = "Completed" }).First.WaitForAsync(new LocatorWaitForOptions { Timeout = 120_000 });

        // What was done is kept, and every service tells its outbox.
        await Page.GotoAsync(At("/operations"));
        foreach (var reason in new[] { "burning", "checked", "not needed any more", "needed after all" })
            await Page.GetByText(reason).First.WaitForAsync();
        (await Page.Locator("section[aria-labelledby=services] .pill.good").CountAsync()).ShouldBe(4);

        // An engine is paused and resumed.
        await Page.GetByLabel("Pause paid").ClickAsync();
        await Page.FillAsync("input[name=reason]", "odd answers");
        await Page.ClickAsync("button:has-text('Pause the engine')");
        await Page.Locator("section[aria-labelledby=engines] .pill.warn", new PageLocatorOptions { HasText = "paused" }).WaitForAsync();
        await Page.GetByLabel("Resume paid").ClickAsync();
        await Page.FillAsync("input[name=reason]", "fine again");
        await Page.ClickAsync("button:has-text('Resume the engine')");
        await Page.GetByLabel("Pause paid").WaitForAsync();
    }

    async Task RequestAsync(string brand, int queries, bool expectAudit = true)
    {
        await Page.GotoAsync(At("/audits/new"));
        await Page.FillAsync("input[name=brand]", brand);
        await Page.FillAsync("textarea[name=queries]", string.Join('\n', Enumerable.Range(1, queries).Select(i => $"which {brand.ToLowerInvariant()} thing is best for purpose {i}")));
        foreach (var engine in await Page.Locator("input[name=engines]").AllAsync())
            await engine.SetCheckedAsync(await engine.GetAttributeAsync("value") == "paid");
        await Page.FillAsync("input[name=minCoverage]", "0.5");
        await Page.ClickAsync("button:has-text('Start the audit')");
        if (expectAudit)
            await Assertions.Expect(Page).ToHaveURLAsync(AuditPage(), new PageAssertionsToHaveURLOptions { Timeout = 60_000 });
    }

    // Asked by its address alone: waiting for the load event too can miss it when the page was there before the wait began.
    [GeneratedRegex("/audits/[0-9a-f]+-", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AuditPage();

    string At(string path) => new Uri(services!.Dashboard.Url, path).ToString();
}
