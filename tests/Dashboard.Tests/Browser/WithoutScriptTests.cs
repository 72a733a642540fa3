using Assay.Contracts;
using Assay.Dashboard.Access;
using Assay.Dashboard.Tests.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Assay.Dashboard.Tests.Browser;

/// <summary>A browser in which no script runs.</summary>
[Collection(nameof(OneBrowser))]
[Trait("Needs", "Browser")]
public sealed class APersonWithoutScript(BrowserHost browser)
{
    [Fact]
    public async Task Should_read_every_page()
    {
        var paths = await EveryPage.OfAsync(browser);
        var (page, _) = await browser.SignedInAsync(script: false);
        foreach (var path in paths)
        {
            var response = await page.GotoAsync(browser.At(path));
            response!.Status.ShouldBe(200, path);
            (await page.Locator("h1").First.IsVisibleAsync()).ShouldBeTrue(path);
            (await page.Locator("main, body.document").First.InnerTextAsync()).Length.ShouldBeGreaterThan(60, path);
        }
    }

    [Fact]
    public async Task Should_see_a_live_page_change_by_itself()
    {
        var id = Guid.CreateVersion7();
        await browser.Host.SayAsync(Sample.Registered(id), Sample.Accepted(id));
        await browser.Host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.AcceptedAttempt == 1), "it is accepted");
        var (page, _) = await browser.SignedInAsync(script: false);
        await page.GotoAsync(browser.At($"/audits/{id}"));
        await page.Locator("li.now", new PageLocatorOptions { HasText = "Admitting" }).WaitForAsync();
        await browser.Host.SayAsync(Sample.Transitioned(id, 2, AuditStates.Admitting, AuditStates.Planning));
        await page.Locator("li.now", new PageLocatorOptions { HasText = "Planning" }).WaitForAsync();
    }

    [Fact]
    public async Task Should_send_every_form()
    {
        var key = await browser.Host.Services.GetRequiredService<IKeyStore>().CreateKeyAsync(Roles.Operator, "by form");
        var (page, _) = await browser.SignedInAsync(script: false);

        // Out, and in again with a key.
        await page.ClickAsync("button[title='Sign out']");
        await page.FillAsync("input[name=key]", key.Secret);
        await page.ClickAsync("button:has-text('Sign in')");
        await page.Locator("h1", new PageLocatorOptions { HasText = "Audits" }).WaitForAsync();

        // An audit: cancelled, retried.
        var id = Guid.CreateVersion7();
        await browser.Host.SayAsync(Sample.Registered(id), Sample.Accepted(id));
        await browser.Host.EventuallyAsync(db => db.Audits.AnyAsync(a => a.AuditId == id && a.AcceptedAttempt == 1), "it is accepted");
        await page.GotoAsync(browser.At($"/audits/{id}"));
        await page.ClickAsync("main a:has-text('Cancel')");
        await SendAsync(page, "not needed", "Cancel the audit");
        await page.GetByText("not needed").First.WaitForAsync();
        await page.ClickAsync("main a:has-text('Retry')");
        await SendAsync(page, "needed", "Start attempt 2");
        await page.Locator("li.now").WaitForAsync();

        // Found, and done to all of them.
        await page.GotoAsync(browser.At("/"));
        await page.FillAsync("input[name=q]", id.ToString());
        await page.ClickAsync("button:has-text('Show')");
        await page.ClickAsync("form.filters a:has-text('cancel')");
        await SendAsync(page, "all of these", "Cancel 1 audit");
        await page.GetByText("was sent to 1 audit.").WaitForAsync();

        // A report: shared, no more shared, read again under other names, deleted.
        var done = await browser.Host.CompletedAuditAsync();
        await page.GotoAsync(browser.At($"/audits/{done}/share"));
        await SendAsync(page, "the client", "Make a read-only link");
        await page.GetByText("The link, shown once").WaitForAsync();
        await page.FillAsync("form.inline input[name=reason]", "no client any more");
        await page.ClickAsync("button:has-text('Revoke')");
        await page.GetByText("revoked ").First.WaitForAsync();
        await page.GotoAsync(browser.At($"/audits/{done}/rederive"));
        await page.ClickAsync("main button[type=submit]");
        await page.GetByText("matcher-v1").First.WaitForAsync();
        await page.GotoAsync(browser.At($"/audits/{done}/delete"));
        await SendAsync(page, "a client asked for it", "Delete it for good");
        await page.Locator("h1", new PageLocatorOptions { HasText = "Audits" }).WaitForAsync();

        // Money and engines.
        await page.ClickAsync("a.stop");
        await SendAsync(page, "burning", "Stop all spending now");
        await page.ClickAsync("a:has-text('Allow spending again')");
        await SendAsync(page, "checked", "Allow spending");
        await page.GetByText("spending allowed").WaitForAsync();
        await page.GotoAsync(browser.At("/operations/engines/claude/pause"));
        await SendAsync(page, "odd answers", "Pause the engine");
        await page.ClickAsync("a[aria-label='Resume claude']");
        await SendAsync(page, "fine again", "Resume the engine");
        await page.ClickAsync("a[aria-label='Limits of claude']");
        await page.FillAsync("input[name=maxConcurrency]", "3");
        await SendAsync(page, "it is slow", "Set the limits");
        await page.GetByText("it is slow").First.WaitForAsync();

        // Messages, the read model.
        await page.GotoAsync(browser.At(PlantedFaults.One));
        await SendAsync(page, "mended", "Send it again");
        await page.Locator("h1", new PageLocatorOptions { HasText = "Faulted messages" }).WaitForAsync();
        await page.GotoAsync(browser.At("/operations/services/Dashboard/release"));
        await SendAsync(page, "the broker is back", "Release");
        await page.GotoAsync(browser.At("/operations/read-model/rebuild"));
        await page.FillAsync("input[name=reason]", "in doubt");
        await page.ClickAsync("main button[type=submit]");
        await page.GetByText("in doubt").First.WaitForAsync();

        // Keys and webhooks.
        await page.GotoAsync(browser.At("/settings"));
        await page.FillAsync("input[name=name]", "without script");
        await page.FillAsync("input[aria-label='Why the key is made']", "a test");
        await page.ClickAsync("button:has-text('Make a key')");
        await page.GetByText("The viewer key of without script").WaitForAsync();
        await page.FillAsync("input[aria-label='Why the key without script is revoked']", "it was a test");
        await page.ClickAsync("button[aria-label='Revoke the key without script']");
        await page.Locator("tr", new PageLocatorOptions { HasText = "without script" }).GetByText("revoked ").WaitForAsync();
        await page.FillAsync("input[name=url]", "http://127.0.0.1:9/hook");
        await page.FillAsync("input[aria-label='Why the webhook is added']", "a receiver");
        await page.ClickAsync("button:has-text('Add a webhook')");
        await page.GetByText("not a public address").WaitForAsync();

        await page.GotoAsync(browser.At("/operations"));
        foreach (var reason in new[] { "not needed", "needed", "all of these", "no client any more", "a client asked for it", "burning", "checked", "odd answers", "fine again", "it is slow", "mended", "the broker is back", "in doubt", "it was a test" })
            await page.Locator("section[aria-labelledby=trail] td[data-label=Reason]", new PageLocatorOptions { HasText = reason }).First.WaitForAsync();
    }

    static async Task SendAsync(IPage page, string reason, string button)
    {
        await page.FillAsync("input[name=reason]", reason);
        await page.ClickAsync($"button:has-text('{button}')");
    }
}

/// <summary>On paper.</summary>
[Collection(nameof(OneBrowser))]
[Trait("Needs", "Browser")]
public sealed class APersonWhoPrints(BrowserHost browser)
{
    [Theory]
    [InlineData("", ColorScheme.Dark)]
    [InlineData("/report", ColorScheme.Dark)]
    [InlineData("", ColorScheme.Light)]
    public async Task Should_get_the_report_and_nothing_around_it(string part, ColorScheme theme)
    {
        var id = await browser.Host.CompletedAuditAsync();
        var (page, _) = await browser.SignedInAsync(theme: theme);
        await page.GotoAsync(browser.At($"/audits/{id}{part}"), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print, ColorScheme = theme });
        foreach (var around in new[] { ".side", ".actions", ".skip" })
            foreach (var element in await page.Locator(around).AllAsync())
                (await element.IsVisibleAsync()).ShouldBeFalse($"{around} is not printed");
        (await page.Locator("svg.drawing").First.IsVisibleAsync()).ShouldBeTrue("a chart is printed as a drawing");
        var ink = await page.Locator("body").EvaluateAsync<string>("e => getComputedStyle(e).backgroundColor + ' ' + getComputedStyle(e).color");
        ink.ShouldBe("rgb(255, 255, 255) rgb(0, 0, 0)", "black on white in either theme");
        var pdf = await page.PdfAsync(new PagePdfOptions { PreferCSSPageSize = true });
        System.Text.Encoding.ASCII.GetString(pdf, 0, 5).ShouldBe("%PDF-");
        pdf.Length.ShouldBeGreaterThan(20_000);
    }
}
