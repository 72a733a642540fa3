using System.Text.RegularExpressions;
using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Assay.Dashboard.Tests.Browser;

/// <summary>A Chromium of its own beside a Dashboard of its own.</summary>
public sealed partial class BrowserHost : IAsyncLifetime
{
    const string Chromium = "/usr/bin/chromium";
    IPlaywright? playwright;
    IBrowser? browser;

    public DashboardHost Host { get; } = new() { Faulted = new PlantedFaults() };

    public async Task InitializeAsync()
    {
        if (!File.Exists(Chromium))
            throw new InvalidOperationException($"These tests drive {Chromium}, which is not there. Install it (Debian: apt-get install chromium), or leave them out with --filter Needs!=Browser.");
        await Host.InitializeAsync();
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium, Headless = true,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async Task DisposeAsync()
    {
        await browser!.DisposeAsync();
        playwright!.Dispose();
        await Host.DisposeAsync();
    }

    /// <summary>A page of a person who just signed in by a link. What it asks elsewhere and what its console says is collected.</summary>
    public async Task<(IPage Page, List<string> Complaints)> SignedInAsync(string role = Roles.Operator, ColorScheme theme = ColorScheme.Dark, int width = 1440, bool script = true)
    {
        var context = await browser!.NewContextAsync(new BrowserNewContextOptions { ColorScheme = theme, ViewportSize = new ViewportSize { Width = width, Height = 900 }, JavaScriptEnabled = script });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(20_000);
        List<string> complaints = [];
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(Host.Url.ToString(), StringComparison.Ordinal))
                complaints.Add("asked " + request.Url);
        };
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                complaints.Add(message.Text);
        };
        page.PageError += (_, error) => complaints.Add(error);
        var link = await Host.Services.GetRequiredService<ILoginLinks>().CreateAsync(role, "browser");
        await page.GotoAsync(new Uri(Host.Url, link).ToString());
        return (page, complaints);
    }

    public string At(string path) => new Uri(Host.Url, path).ToString();

    /// <summary>Waits for the address alone: waiting for the load event too can miss it when the page was there before the wait began.</summary>
    public static Task OnAnAuditsPageAsync(IPage page) => Assertions.Expect(page).ToHaveURLAsync(AuditsPage(), new PageAssertionsToHaveURLOptions { Timeout = 30_000 });

    [GeneratedRegex("/audits/[0-9a-f]+-", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AuditsPage();
}

[CollectionDefinition(nameof(OneBrowser))]
public sealed class OneBrowser : ICollectionFixture<BrowserHost>;

[Collection(nameof(OneBrowser))]
[Trait("Needs", "Browser")]
public sealed class APersonWithABrowser(BrowserHost browser)
{
    [Fact]
    public async Task Should_start_an_audit_watch_it_live_and_open_a_number_down_to_the_answer()
    {
        var (page, complaints) = await browser.SignedInAsync();
        await page.GotoAsync(browser.At("/audits/new"));
        await page.FillAsync("input[name=brand]", "Anker");
        await page.FillAsync("textarea[name=queries]", string.Join('\n', Sample.QueryTexts));
        await page.GetByText("44", new PageGetByTextOptions { Exact = true }).WaitForAsync();
        await page.ClickAsync("button:has-text('Start the audit')");
        await BrowserHost.OnAnAuditsPageAsync(page);
        var id = Guid.Parse(new Uri(page.Url).Segments[^1]);

        await browser.Host.SayAsync(Sample.Transitioned(id, 2, AuditStates.Admitting, AuditStates.Planning), Sample.Transitioned(id, 3, AuditStates.Planning, AuditStates.Asking), Sample.Progressed(id, AuditStates.Asking, 3, at: 20));
        await page.Locator("li.now", new PageLocatorOptions { HasText = "Asking" }).WaitForAsync();
        await page.GetByText("3 of 4").WaitForAsync();
        // The timeline and what can be done follow without a reload.
        await page.Locator("#audit-timeline td:has-text('Asking')").First.WaitForAsync();
        await page.Locator("#audit-actions a:has-text('Cancel')").WaitForAsync();
        (await page.Locator("#audit-seen").CountAsync()).ShouldBe(1);

        await browser.Host.CompletedAuditAsync("Anker", id);
        await page.Locator("#audit-actions a:has-text('Read again')").WaitForAsync();
        (await page.Locator("#audit-actions a:has-text('Cancel')").CountAsync()).ShouldBe(0);
        (await page.Locator("#audit-timeline").CountAsync()).ShouldBe(1);
        await page.Locator("#audit-timeline .pill:has-text('Completed')").First.WaitForAsync();
        await page.ClickAsync("a:has-text('Show the report')");
        await page.ClickAsync("section[aria-labelledby=engines] a:has-text('chatgpt')");
        await page.Locator("table a").First.ClickAsync();
        (await page.Locator("mark.own").First.InnerTextAsync()).ShouldBe("Anker");
        complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_cancel_and_retry_an_audit()
    {
        var id = Guid.CreateVersion7();
        await browser.Host.SayAsync(Sample.Registered(id), Sample.Accepted(id));
        await browser.Host.EventuallyAsync(db => Task.FromResult(db.Audits.Any(a => a.AuditId == id && a.AcceptedAttempt == 1)), "it is accepted");
        var (page, complaints) = await browser.SignedInAsync();
        await page.GotoAsync(browser.At($"/audits/{id}"));
        await page.ClickAsync("a:has-text('Cancel')");
        await page.FillAsync("input[name=reason]", "not needed any more");
        await page.ClickAsync("button:has-text('Cancel the audit')");
        await page.GetByText("not needed any more").WaitForAsync();
        await page.ClickAsync("a:has-text('Retry')");
        await page.FillAsync("input[name=reason]", "needed after all");
        await page.ClickAsync("button:has-text('Start attempt 2')");
        await page.Locator("li.now").WaitForAsync();
        complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_stop_all_spending_from_any_page_and_resume()
    {
        var (page, complaints) = await browser.SignedInAsync();
        await page.GotoAsync(browser.At("/metrics-explained"));
        await page.ClickAsync("a.stop");
        await page.FillAsync("input[name=reason]", "burning");
        await page.ClickAsync("button:has-text('Stop all spending now')");
        await page.GetByText("All spending is stopped").WaitForAsync();
        await page.ClickAsync("a:has-text('Allow spending again')");
        await page.FillAsync("input[name=reason]", "checked");
        await page.ClickAsync("button:has-text('Allow spending')");
        await page.GetByText("spending allowed").WaitForAsync();
        complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_be_able_to_work_without_script()
    {
        var (page, _) = await browser.SignedInAsync(script: false);
        await page.GotoAsync(browser.At("/audits/new"));
        await page.FillAsync("input[name=brand]", "Anker");
        await page.FillAsync("textarea[name=queries]", Sample.QueryTexts[0]);
        await page.ClickAsync("button:has-text('Quote')");
        await page.GetByText("44", new PageGetByTextOptions { Exact = true }).WaitForAsync();
        await page.ClickAsync("button:has-text('Start the audit')");
        await BrowserHost.OnAnAuditsPageAsync(page);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Should_see_charts_with_and_without_script(bool script)
    {
        var id = await browser.Host.CompletedAuditAsync();
        var (page, complaints) = await browser.SignedInAsync(script: script);
        await page.GotoAsync(browser.At($"/audits/{id}"), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
        var chart = page.Locator("figure.chart").First;
        (await chart.Locator("svg.drawing").IsVisibleAsync()).ShouldBe(!script);
        (await chart.Locator(".plot svg").CountAsync()).ShouldBe(script ? 1 : 0);
        (await chart.Locator("table td").AllTextContentsAsync()).ShouldContain("60 %");
        complaints.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(ColorScheme.Dark, 1440)]
    [InlineData(ColorScheme.Light, 1440)]
    [InlineData(ColorScheme.Dark, 375)]
    [InlineData(ColorScheme.Light, 375)]
    public async Task Should_find_every_page_accessible_and_within_the_window(ColorScheme theme, int width)
    {
        var paths = await EveryPage.OfAsync(browser);
        var (page, complaints) = await browser.SignedInAsync(theme: theme, width: width);
        List<string> violations = [];
        foreach (var path in paths)
        {
            await page.GotoAsync(browser.At(path), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
            if (path.EndsWith("/report", StringComparison.Ordinal))
                continue; // Its sandbox allows no script, a checker's neither; its parts are those of the audit's page.
            var found = await ViolationsAsync(page);
            violations.AddRange(found.Select(violation => $"{path} {violation}"));
            var overflow = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - window.innerWidth");
            if (overflow > 0)
                violations.Add($"{path} is {overflow} px wider than the window");
        }

        violations.ShouldBeEmpty(string.Join('\n', violations));
        complaints.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(1440)]
    public async Task Should_read_long_names_without_a_mouse_to_scroll(int width)
    {
        const string Brand = "=HYPERLINK(\"http://evil.example/a/path/without/any/place/to/break\")<b>WWWWWWWWWWWW";
        var id = await browser.Host.CompletedAuditAsync(Brand, text: _ => "Anker Soundcore is the best choice.");
        var (page, _) = await browser.SignedInAsync(width: width);
        await browser.Host.EventuallyAsync(async db =>
        {
            foreach (var answer in db.Answers.Where(answer => answer.AuditId == id))
                answer.Json = answer.Json.Replace("\"Anker\"", System.Text.Json.JsonSerializer.Serialize(Brand), StringComparison.Ordinal);
            return await db.SaveChangesAsync() > 0;
        }, "the brand is mentioned");
        foreach (var path in new[] { $"/audits/{id}", $"/audits/{id}/answers", $"/audits/{id}/answers/key-chatgpt-q001", "/", "/operations", "/spending" })
        {
            await page.GotoAsync(browser.At(path), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
            (await ViolationsAsync(page)).ShouldBeEmpty(path);
        }
    }

    static async Task<string[]> ViolationsAsync(IPage page)
    {
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "axe.min.js")));
        return await page.EvaluateAsync<string[]>("async () => (await axe.run()).violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target + ' ' + n.failureSummary).join(' | '))");
    }
}
